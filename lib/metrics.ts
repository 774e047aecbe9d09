/**
 * Metrics of a server for Prometheus, and its health, to be served at any address.
 *
 * ```ts
 * import { serve } from "./echo.ts";
 * import { metrics } from "./metrics.ts";
 *
 * await using server = serve({ port: 0 });
 * await using http = Deno.serve(
 *   { hostname: "127.0.0.1", port: 0, onListen: () => {} },
 *   (request) => metrics(server, request),
 * );
 * await (await fetch(`http://127.0.0.1:${http.addr.port}/metrics`)).text();
 * ```
 *
 * @module
 */

import type { EchoServer } from "./net/server.ts";
import { metricsResponse, metricsText } from "./server/metrics.ts";

/**
 * Answers `/metrics` with the statistics of a server, and `/healthz` with 200. All
 * else is not found.
 */
export function metrics(
  server: Pick<EchoServer, "stats">,
  request: Request,
): Response {
  switch (new URL(request.url).pathname) {
    case "/metrics": {
      const stats = server.stats();
      return metricsResponse(metricsText([{ labels: {}, stats }]));
    }
    case "/healthz":
      return new Response("ok\n");
    default:
      return new Response("not found\n", { status: 404 });
  }
}
