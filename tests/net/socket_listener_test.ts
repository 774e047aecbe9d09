import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  connect,
  exchange,
  listen,
  type ListenOptions,
} from "../../lib/echo.ts";
import type { SocketConn } from "../../lib/net/socket_conn.ts";
import { ca, cert, key } from "../support/certificates.ts";
import { portOf, utf8 } from "../support/peers.ts";
import { deno, maySignal, Running } from "../support/processes.ts";

const resettable = (options: ListenOptions) =>
  listen({ port: 0, ...options }, { resettable: true });

const kinds: [string, ListenOptions][] = [
  ["plain", {}],
  ["TLS", { cert, key }],
];

for (const [kind, options] of kinds) {
  describe(`a ${kind} listener whose connections can be reset`, () => {
    for (const hostname of ["127.0.0.1", "localhost", "::1", "0.0.0.0", "::"]) {
      it(`knows its address on ${hostname} at once`, async () => {
        using listener = resettable({ ...options, hostname });
        const { addr } = listener;
        assertEquals(addr.transport, "tcp");
        assert(addr.port > 0);
        const host = hostname === "localhost" ? "127.0.0.1" : hostname;
        assertEquals(addr.hostname, host);
        using client = await Deno.connect({ hostname, port: addr.port });
        using conn = await listener.accept();
        assertEquals(
          (conn.remoteAddr as Deno.NetAddr).port,
          client.localAddr.port,
        );
      });
    }

    it("fails as Deno's do", () => {
      using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = other.addr;
      const cases = [
        [{ port }, Deno.errors.AddrInUse, "address already in use"],
        [
          { hostname: "192.0.2.1" },
          Deno.errors.AddrNotAvailable,
          "cannot assign requested address",
        ],
        [
          { hostname: "nowhere.invalid" },
          Error,
          "the host name does not resolve",
        ],
        [{ port: 65_536 }, RangeError, "port 65536"],
      ] as const;
      for (const [wrong, Class, why] of cases) {
        assertThrows(() => resettable({ ...options, ...wrong }), Class, why);
      }
    });

    it("leaves its port when it is closed, even while it accepts", async () => {
      const first = resettable(options);
      const accepting = assertRejects(
        () => first.accept(),
        Deno.errors.BadResource,
      );
      first.close();
      using _second = resettable({ ...options, port: portOf(first) });
      await accepting;
      assertThrows(() => first.close(), Deno.errors.BadResource);
      await assertRejects(() => first.accept(), Deno.errors.BadResource);
      first[Symbol.dispose]();
    });

    it("accepts all that wait, also clients that have left", async () => {
      using listener = resettable(options);
      const clients = await Promise.all(
        Array.from(
          { length: 150 },
          () => Deno.connect({ port: portOf(listener) }),
        ),
      );
      for (const client of clients.splice(0, 50)) client.close();
      const conns: Deno.Conn[] = [];
      while (conns.length < 150) conns.push(await listener.accept());
      const ports = new Set(
        conns.map(({ remoteAddr }) => (remoteAddr as Deno.NetAddr).port),
      );
      for (const { localAddr } of clients) assert(ports.has(localAddr.port));
      for (const conn of [...clients, ...conns]) conn.close();
    });
  });
}

it("skips a client that has reset before it is accepted", async () => {
  using listener = resettable({});
  const first = await connect({ port: portOf(listener) }, { resettable: true });
  (first as SocketConn).reset();
  using second = await Deno.connect({ port: portOf(listener) });
  using conn = await listener.accept();
  assertEquals((conn.remoteAddr as Deno.NetAddr).port, second.localAddr.port);
});

it("a TLS server that has run out of files says so, and serves on", {
  ignore: !maySignal,
}, async () => {
  const folder = await Deno.makeTempDir();
  for (const [name, pem] of Object.entries({ cert, key, ca })) {
    await Deno.writeTextFile(`${folder}/${name}`, pem);
  }
  const tls = ["--tls-cert", `${folder}/cert`, "--tls-key", `${folder}/key`];
  const command = deno("server.ts", ["--port", "0", ...tls], ["-A"]).join(" ");
  await using server = new Running(
    ["-c", `ulimit -n 48; exec '${Deno.execPath()}' ${command}`],
    { program: "sh" },
  );
  const [, port] = await server.shows(/Server listening on .*:(\d+)\n/);
  const conns = await Promise.all(
    Array.from({ length: 100 }, () => Deno.connect({ port: Number(port) })),
  );
  await server.shows(
    /Cannot accept connections: too many open files/,
    "stderr",
  );
  for (const conn of conns) conn.close();
  const echo = await exchange("x", {
    hostname: "localhost",
    port: Number(port),
    tls: true,
    caCerts: [ca],
  });
  assertEquals(echo, utf8("x"));
  await Deno.remove(folder, { recursive: true });
});
