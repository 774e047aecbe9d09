/**
 * A toxiproxy interface for tests, and requests to it.
 *
 * @module
 */

import { toxiproxy, type ToxiproxyOptions } from "../../lib/toxiproxy.ts";

/** What a request was answered with: its JSON, or its text. */
export interface Answer {
  status: number;
  // deno-lint-ignore no-explicit-any
  body: any;
}

/** An interface on a free port. */
export function control(options: ToxiproxyOptions = {}) {
  const server = toxiproxy({ port: 0, ...options });
  const url = `http://127.0.0.1:${server.addr.port}`;
  return {
    server,
    url,
    [Symbol.asyncDispose]: () => server.shutdown(),
    /** Sends a request whose body is JSON, or a text as it is. */
    async send(
      method: string,
      path: string,
      body?: unknown,
      headers: Record<string, string> = {},
    ): Promise<Answer> {
      const response = await fetch(url + path, {
        method,
        headers,
        ...(body === undefined ? {} : {
          body: typeof body === "string" ? body : JSON.stringify(body),
        }),
      });
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.includes("json");
      return {
        status: response.status,
        body: isJson ? JSON.parse(text) : text,
      };
    },
  };
}

/** The port of `HOST:PORT`. */
export function portIn({ listen }: { listen: string }): number {
  return Number(listen.split(":").at(-1));
}
