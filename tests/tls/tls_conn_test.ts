import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { nextTick } from "node:process";
import { tlsClient, tlsServer } from "../../lib/tls/session.ts";
import { cert, key } from "../support/certificates.ts";
import { settle } from "../support/fake_clock.ts";
import { FakeConn } from "../support/fakes.ts";
import { utf8 } from "../support/peers.ts";

/** A connection whose peer has already sent what is no TLS. */
function garbled(): FakeConn {
  const conn = new FakeConn();
  conn.feed(utf8("GET / HTTP/1.1\r\n\r\n"));
  return conn;
}

function afterTicks(ticks: number, callback: () => void): void {
  if (ticks === 0) callback();
  else nextTick(() => afterTicks(ticks - 1, callback));
}

const startServer = tlsServer({ cert, key });
const startClient = tlsClient({});
const plainOf = (conn: FakeConn) => conn as unknown as Deno.TcpConn;

// Errors that node:tls throws in its own callbacks, which end the process.
const uncaught: unknown[] = [];
const listen = (event: ErrorEvent) => {
  event.preventDefault();
  uncaught.push(event.error);
};

beforeEach(() => addEventListener("error", listen));
afterEach(() => {
  removeEventListener("error", listen);
  assertEquals(uncaught.splice(0), []);
});

describe("a TLS session that ends as soon as it has begun", () => {
  for (const ticks of [0, 1, 2, 3, 5]) {
    it(`closes a server's connection ${ticks} ticks later`, async () => {
      const plain = garbled();
      const conn = startServer(plainOf(plain));
      const handshake = assertRejects(() => conn.handshake());
      const reading = assertRejects(() => conn.read(new Uint8Array(1)));
      afterTicks(ticks, () => conn[Symbol.dispose]());
      await Promise.all([handshake, reading]);
      await settle();
      assert(plain.closed);
    });

    it(`closes a client's connection ${ticks} ticks later`, async () => {
      const plain = garbled();
      const controller = new AbortController();
      const starting = assertRejects(() =>
        startClient(plainOf(plain), controller.signal)
      );
      afterTicks(ticks, () => controller.abort());
      await starting;
      await settle();
      assert(plain.closed);
    });
  }
});
