/**
 * The echo server program: sends back what each client sends. With `--upstream`, it
 * is a proxy with faults in front of another service.
 *
 * ```sh
 * deno task server
 * deno run --allow-net=127.0.0.1:12345 server.ts
 * deno run --allow-net=0.0.0.0:7 server.ts --hostname 0.0.0.0 --port 7
 * deno run --allow-net=127.0.0.1 server.ts --upstream 127.0.0.1:6379 --latency 1s
 * ```
 *
 * @module
 */

import { run } from "./lib/cli/program.ts";
import { program } from "./lib/cli/server_flags.ts";
import { advise, main } from "./lib/cli/server_program.ts";

if (import.meta.main) await run(program, { main, advise });
