/**
 * The results of a benchmark as tables: a row per server, with the median of its
 * rounds, and the ratio of this project's server to it.
 *
 * @module
 */

/** The load on a server. With size 0 the connections are idle. */
export interface Workload {
  readonly connections: number;
  /** Bytes of a message. */
  readonly size: number;
}

/** The results of a round, as far as they could be measured. */
export interface Results {
  receivedPerSecond?: number;
  /** Microseconds of CPU time of the server per message. */
  cpu?: number;
  /** Latencies in milliseconds. */
  p50?: number;
  p99?: number;
  "p99.9"?: number;
  /** Jain's index. */
  fairness?: number;
  /** Connections without any reply. */
  starved?: number;
  errors?: number;
  /** Resident memory of the server in megabytes. */
  memory?: number;
  /** Memory per connection in kilobytes. */
  perIdle?: number;
}

/** Columns: key, heading, decimals, and whether a ratio follows. */
const COLUMNS: readonly [keyof Results, string, number, boolean][] = [
  ["receivedPerSecond", "messages/s", 0, true],
  ["cpu", "CPU µs", 1, true],
  ["p50", "p50 ms", 2, false],
  ["p99", "p99 ms", 2, false],
  ["p99.9", "p99.9 ms", 2, false],
  ["fairness", "fairness", 4, false],
  ["starved", "starved", 0, false],
  ["errors", "errors", 0, false],
  ["memory", "MB", 0, true],
  ["perIdle", "kB each", 1, true],
];

/** The middle value, or the mean of the two in the middle. NaN if empty. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

/** A number with commas, or a dash if it was not measured. */
function format(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return "–";
  return value.toLocaleString("en-US", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
}

/** The table of a workload. `×` is the first server's value over this one's. */
export function table(
  { connections, size }: Workload,
  results: ReadonlyMap<string, readonly Results[]>,
): string {
  const servers = [...results.keys()];
  const [ours = ""] = servers;
  const medianOf = (server: string, key: keyof Results) =>
    median((results.get(server) ?? []).map((round) => round[key] ?? NaN));
  const columns = [["", ...servers]];
  for (const [key, title, decimals, compared] of COLUMNS) {
    const values = servers.map((server) => medianOf(server, key));
    if (values.every(Number.isNaN)) continue;
    columns.push([title, ...values.map((value) => format(value, decimals))]);
    if (compared) {
      const ratios = values.map((value) =>
        format(medianOf(ours, key) / value, 2)
      );
      columns.push(["×", ...ratios]);
    }
  }
  const widths = columns.map((column) =>
    Math.max(...column.map(({ length }) => length))
  );
  const rows = ["", ...servers].map((_, row) =>
    columns.map((column, i) => {
      const width = widths[i]!;
      return i === 0
        ? column[row]!.padEnd(width)
        : column[row]!.padStart(width);
    }).join("  ")
  );
  const title = size === 0
    ? `${format(connections, 0)} idle connections`
    : `${format(connections, 0)} connection${connections === 1 ? "" : "s"}, ${
      format(size, 0)
    } bytes a message`;
  return [title, "", ...rows].join("\n");
}
