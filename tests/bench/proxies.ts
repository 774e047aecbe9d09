/**
 * The proxies to compare, in front of the same echo server: this project's, socat,
 * and HAProxy in TCP mode, as far as they are installed.
 *
 * @module
 */

import { type Contender, denoCommand, outputOf, root } from "./servers.ts";

/** HAProxy as a plain TCP proxy in one thread, as this project's is. */
const haproxyConfig = (port: number, upstream: number) =>
  `global
  nbthread 1
  maxconn 5000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen proxy
  bind 127.0.0.1:${port}
  server upstream 127.0.0.1:${upstream}
`;

/**
 * Returns the proxies that can run here, to an upstream on a port of this host.
 * Configurations are written to `folder`.
 */
export async function proxies(
  folder: string,
  upstream: number,
): Promise<Contender[]> {
  const found: Contender[] = [{
    name: "proxy",
    version: `Deno ${Deno.version.deno}`,
    command: (port) =>
      denoCommand("server.ts", root, {
        net: `127.0.0.1:${port},127.0.0.1:${upstream}`,
        args: ["--port", `${port}`, "--upstream", `127.0.0.1:${upstream}`],
      }),
  }];
  const socat = await outputOf("socat", ["-V"]);
  if (socat) {
    found.push({
      name: "socat",
      version: /socat version \S+/.exec(socat)?.[0] ?? "socat",
      forks: true,
      command: (port) => [
        "socat",
        // Its default buffer of 8 KiB would decide the row of 65,536 bytes.
        ...["-b", "65536"],
        `TCP-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr,backlog=4096,nodelay`,
        `TCP:127.0.0.1:${upstream},nodelay`,
      ],
    });
  }
  const haproxy = await outputOf("haproxy", ["-v"]);
  if (haproxy) {
    found.push({
      name: "haproxy",
      version: haproxy.split(" - ")[0]!.replace("version ", ""),
      command(port) {
        const file = `${folder}/haproxy-${port}.cfg`;
        Deno.writeTextFileSync(file, haproxyConfig(port, upstream));
        return ["haproxy", "-q", "-db", "-f", file];
      },
    });
  }
  return found;
}
