/**
 * The statistics of servers as metrics, in the text format of Prometheus 0.0.4.
 *
 * ```ts
 * import { serve } from "../echo.ts";
 * import { metricsText } from "./metrics.ts";
 *
 * await using server = serve({ port: 0 });
 * metricsText([{ labels: {}, stats: server.stats() }]);
 * ```
 *
 * @module
 */

import type { ServerStats } from "../net/server.ts";

/** Labels of a sample. */
export type Labels = Readonly<Record<string, string>>;

/** One server. */
export interface MetricsSource {
  /** What tells it from others. */
  readonly labels: Labels;
  /** Its statistics. */
  readonly stats: Omit<ServerStats, "duration" | "peak">;
}

type Sample = readonly [own: Labels, value: number];

/**
 * A metric: its name, what it counts, and the samples of a server, each with the
 * labels that it has beside the server's. One that ends in `_total` is a counter.
 */
export type Metric = readonly [
  name: string,
  help: string,
  samples: (stats: MetricsSource["stats"]) => Sample[],
];

/** A sample for each key of a record. */
function each(
  label: string,
  record: Readonly<Record<string, number>> = {},
): Sample[] {
  return Object.entries(record).map((
    [key, value],
  ) => [{ [label]: key }, value]);
}

/** The metrics of every server. */
const METRICS: readonly Metric[] = [
  ["echo_connections_open", "Open connections.", ({ open }) => [[{}, open]]],
  [
    "echo_connections_accepted_total",
    "Connections that were accepted.",
    ({ accepted }) => [[{}, accepted]],
  ],
  [
    "echo_connections_ended_total",
    "Connections that have ended, by reason.",
    ({ ended }) => each("reason", ended),
  ],
  [
    "echo_received_bytes_total",
    "Bytes read, by the side that sent them.",
    ({ bytesRead: client, upstream }) =>
      each("side", { client, ...upstream && { upstream: upstream.bytesRead } }),
  ],
  [
    "echo_sent_bytes_total",
    "Bytes written, by the side that gets them.",
    ({ bytesWritten: client, upstream: to }) =>
      each("side", { client, ...to && { upstream: to.bytesWritten } }),
  ],
  [
    "echo_faults_total",
    "How often faults took effect: chunks, bytes, slices or connections.",
    ({ faults }) => each("fault", faults),
  ],
  [
    "echo_held_bytes",
    "Bytes that faults hold.",
    ({ heldBytes }) => [[{}, heldBytes]],
  ],
];

/** A label value, in which these three characters are escaped. */
function quoted(value: string): string {
  const text = value.toWellFormed().replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `"${text}"`;
}

function sampleLine(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) =>
    `${key}=${quoted(text)}`
  );
  return `${name}${pairs.length > 0 ? `{${pairs}}` : ""} ${value}\n`;
}

/** The metrics of servers, after those of `first`, of the same servers. */
export function metricsText(
  sources: readonly MetricsSource[],
  first: readonly Metric[] = [],
): string {
  return [...first, ...METRICS].map(([name, help, samples]) => {
    const type = name.endsWith("_total") ? "counter" : "gauge";
    const lines = sources.flatMap(({ labels, stats }) =>
      samples(stats).map(([own, value]) =>
        sampleLine(name, { ...own, ...labels }, value)
      )
    );
    return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
  }).join("");
}

/** A response with metrics. */
export function metricsResponse(text: string): Response {
  const type = "text/plain; version=0.0.4; charset=utf-8";
  return new Response(text, { headers: { "content-type": type } });
}
