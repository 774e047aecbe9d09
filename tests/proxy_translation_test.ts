import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { connect, exchange, serve } from "../lib/echo.ts";
import { proxy } from "../lib/proxy.ts";
import { ca, cert, key } from "./support/certificates.ts";
import { pattern, portOf, read, until, write } from "./support/peers.ts";
import { see, start } from "./support/sessions.ts";

const to = (server: { addr: Deno.Addr }) => ({ port: portOf(server) });

const mayUseFiles = Deno.build.os !== "windows" &&
  (await Deno.permissions.query({ name: "write" })).state === "granted" &&
  (await Deno.permissions.query({ name: "read" })).state === "granted";

describe("a proxy translates", () => {
  const message = pattern(300_000);
  const tls = { tls: true, caCerts: [ca], hostname: "localhost" };

  it("TLS to plain TCP", async () => {
    await using upstream = serve({ port: 0 });
    await using server = proxy({ port: 0, cert, key, upstream: to(upstream) });
    const back = await exchange(message, { ...tls, ...to(server) });
    assertEquals(back, message);
  });

  it("plain TCP to TLS", async () => {
    await using upstream = serve({ port: 0, cert, key });
    await using server = proxy({
      port: 0,
      upstream: { ...tls, ...to(upstream) },
    });
    assertEquals(await exchange(message, to(server)), message);
  });

  it("half-close between TLS and TCP, in both directions", async () => {
    await using upstream = serve({ port: 0, cert, key });
    await using inner = proxy({
      port: 0,
      upstream: { ...tls, ...to(upstream) },
    });
    await using outer = proxy({ port: 0, cert, key, upstream: to(inner) });
    using conn = await connect({ ...tls, ...to(outer) });
    const sending = write(conn, message).then(() => conn.closeWrite());
    assertEquals(await read(conn), message);
    await sending;
  });

  it("nothing for an upstream whose certificate is not trusted", async () => {
    await using upstream = serve({ port: 0, cert, key });
    await using session = start("proxy", {
      upstream: { tls: true, hostname: "localhost", ...to(upstream) },
    });
    const { closed } = session;
    using conn = await session.connect();
    assertEquals((await see(conn)).bytes.length, 0);
    await until(() => closed.length === 1);
    assertEquals(closed[0]!.reason, "unreachable");
  });

  it("nothing in an outage, also in the middle of a TLS handshake", async () => {
    await using session = start("proxy", { cert, key });
    const { server, closed } = session;
    using conn = await session.connect();
    await until(() => server.stats().open === 1);
    server.setFaults({ down: true });
    assertEquals((await see(conn)).bytes.length, 0);
    await until(() => closed.length === 1);
    assertEquals([closed[0]!.reason, closed[0]!.error, closed[0]!.faults], [
      "fault",
      undefined,
      { down: 1 },
    ]);
  });

  it("TCP to a Unix socket, and back", { ignore: !mayUseFiles }, async () => {
    const folder = await Deno.makeTempDir();
    const [echoPath, path] = [`${folder}/echo`, `${folder}/proxy`];
    {
      await using _echo = serve({ path: echoPath });
      await using tcp = proxy({ port: 0, upstream: { path: echoPath } });
      await using unix = proxy({ path, upstream: to(tcp) });
      assertEquals(unix.addr, { transport: "unix", path });
      assertEquals(await exchange(message, { path }), message);
    }
    await Deno.remove(folder, { recursive: true });
  });
});
