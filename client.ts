/**
 * The echo client program: sends a message, and prints its echo once every byte is
 * verified. It also has modes to pipe stdin, to ping, and to load a server.
 *
 * ```sh
 * deno task client
 * deno task client "Hello again"
 * seq 1 1000000 | deno task --quiet client - | md5sum
 * deno task client --ping --count 3
 * deno task client --load --connections 100 --duration 5s
 * deno run --allow-net=example.org:7 client.ts --hostname example.org --port 7
 * ```
 *
 * @module
 */

import { program } from "./lib/cli/client_flags.ts";
import { advise, main } from "./lib/cli/client_program.ts";
import { run } from "./lib/cli/program.ts";

if (import.meta.main) await run(program, { main, advise });
