/**
 * The server program as proxies that clients of toxiproxy control.
 *
 * ```sh
 * deno run --allow-net server.ts --toxiproxy 8474
 * ```
 *
 * @module
 */

import { formatAddress } from "../net/endpoint.ts";
import { describeError } from "../net/system_error.ts";
import { type ApiError, type Json, toxiproxy } from "../toxiproxy.ts";
import { formatEvent, type ServerEvent } from "./connection_log.ts";
import { given } from "./flags.ts";
import { LineQueue } from "./line_queue.ts";
import { acceptAdvice, watchUpstream } from "./outages.ts";
import { print } from "./output.ts";
import { readText } from "./program.ts";
import { limits, type ServerValues } from "./server_flags.ts";
import { onTerminationSignal } from "./signals.ts";

/** Runs the proxies until the program is asked to shut down. */
export async function runToxiproxy(
  values: ServerValues,
  endpoint: { hostname: string; port: number },
): Promise<void> {
  const { config } = values;
  const format = (event: ServerEvent) => formatEvent(event, "text");
  const stderr = new LineQueue(Deno.stderr, {
    formatDropped: (lines) => format({ event: "dropped", lines }),
  });
  const log = (event: ServerEvent) => stderr.push(format(event));
  const abort = new AbortController();
  let shuttingDown = false;
  onTerminationSignal(() => {
    if (shuttingDown) return abort.abort();
    shuttingDown = true;
    void server.shutdown();
  });
  const server = withFile(config, () =>
    toxiproxy({
      ...endpoint,
      proxies: config === undefined ? undefined : JSON.parse(readText(config)),
      signal: abort.signal,
      common() {
        const isOutage = watchUpstream();
        return {
          ...given(values, limits),
          onClose(connection) {
            if (!isOutage(connection)) return;
            log({ event: "upstreamError", error: connection.error });
          },
          onAcceptError(cause) {
            const error = describeError(cause);
            const advice = acceptAdvice(error);
            log({ event: "acceptError", error, advice });
          },
        };
      },
    }));
  print(`Toxiproxy interface on ${formatAddress(server.addr)}`);
  await server.finished;
  await stderr.flush();
}

/** Names the file in the errors of what is in it. */
function withFile<T>(path: string | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { name, message } = error as Error;
    if (name !== "ApiError" && name !== "SyntaxError") throw error;
    const { message: why = message } =
      ((error as ApiError).details ?? {}) as Record<string, Json>;
    const plain = `${why}`.replace("bad request body: ", "");
    throw new Error(`Cannot use --config ${path}: ${plain}`, { cause: error });
  }
}
