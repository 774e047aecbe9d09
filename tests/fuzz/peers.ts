/**
 * Both ends of a script: its clients, and the upstream of its proxy. They share no
 * code with what is tested.
 *
 * @module
 */

import net from "node:net";
import tls from "node:tls";
import { ca, cert, key } from "../support/certificates.ts";
import { pattern, write } from "../support/peers.ts";
import { sleep } from "./process.ts";
import { MAX_REPLY_BYTES, type Step, type Upstream } from "./script.ts";

/** Milliseconds that a client waits until a write is done. */
const WRITE_MS = 2_000;
/** Bytes that a flooding upstream sends each millisecond: 16 MB/s, a bounded load. */
const FLOOD_BYTES = 16_384;
/** Milliseconds between the last byte and a reset. */
const RESET_MS = 5;
/** Bytes after which `pattern()` repeats. */
const PERIOD = 251;
/** Enough for a reply, and for a part of a flood from anywhere in the period. */
const PATTERN = pattern(FLOOD_BYTES + MAX_REPLY_BYTES);

/**
 * How the stream of a client ended. `truncated` is the end of TCP within a TLS
 * session. `left` if the client ended it, `failed` if the TLS handshake failed.
 */
type End = "eof" | "reset" | "truncated" | "left" | "refused" | "failed";

/** What became of a client. */
export interface Outcome {
  /** Whether it was to read to the end. */
  polite: boolean;
  written: Uint8Array;
  received: Uint8Array;
  end: End;
  /** Whether all its writes succeeded. */
  wrote: boolean;
}

/** A connection of a client. */
interface Conn {
  chunks: AsyncIterable<Uint8Array>;
  write(bytes: Uint8Array): Promise<unknown>;
  closeWrite(): Promise<unknown>;
  leave(): void;
}

async function connect(port: number, secure: boolean): Promise<Conn> {
  const plain = await Deno.connect({ hostname: "127.0.0.1", port });
  plain.setNoDelay(true);
  let conn: Deno.Conn = plain;
  if (secure) {
    const options = { hostname: "localhost", caCerts: [ca] };
    const secured = await Deno.startTls(plain, options);
    conn = secured;
    await secured.handshake().catch((error) => {
      secured.close();
      throw error;
    });
  }
  async function* chunks() {
    const buffer = new Uint8Array(65_536);
    for (let n; (n = await conn.read(buffer)) !== null;) {
      yield buffer.slice(0, n);
    }
  }
  return {
    chunks: chunks(),
    write: (bytes) => write(conn, bytes),
    closeWrite: () => conn.closeWrite(),
    leave: () => conn[Symbol.dispose](),
  };
}

/** A connection that leaves with a reset. Deno's own send the end of input first. */
async function connectToReset(port: number, secure: boolean): Promise<Conn> {
  const plain = net.connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  const socket = secure
    ? tls.connect({ socket: plain, servername: "localhost", ca: [ca] })
    : plain;
  for (const each of [plain, socket]) each.on("error", () => {});
  await once(socket, secure ? "secureConnect" : "connect");
  return {
    chunks: socket,
    write: (bytes) => new Promise((resolve) => socket.write(bytes, resolve)),
    closeWrite: () => Promise.resolve(socket.end()),
    leave: () => plain.resetAndDestroy(),
  };
}

/** Runs a client. `salt` makes its bytes different from those of others. */
export async function runClient(
  steps: Step[],
  { port, tls, salt }: { port: number; tls: boolean; salt: number },
): Promise<Outcome> {
  const last = steps.at(-1)!.do;
  const length = steps.reduce(
    (sum, step) => sum + (step.do === "write" ? step.bytes : 0),
    0,
  );
  const written = pattern(length + salt).subarray(salt);
  const received: Uint8Array[] = [];
  const outcome = { polite: last === "readToEnd", written, wrote: true };
  let conn: Conn;
  try {
    conn = await (last === "reset" ? connectToReset : connect)(port, tls);
  } catch (error) {
    const end = error instanceof Deno.errors.ConnectionRefused
      ? "refused"
      : "failed";
    return { ...outcome, received: new Uint8Array(), end };
  }
  let end: End | undefined;
  let deaf = Promise.resolve();
  const reading = (async () => {
    for await (const chunk of conn.chunks) {
      if (end === undefined) received.push(chunk);
      await deaf;
    }
  })().then(() => end ??= "eof", (error) => end ??= endOf(error));
  let at = 0;
  for (const step of steps) {
    const failed = () => outcome.wrote = false;
    if (step.do === "pause") await sleep(step.ms);
    if (step.do === "deafen") deaf = sleep(step.ms);
    if (step.do === "halfClose") await conn.closeWrite().catch(failed);
    if (step.do === "readToEnd") await atMost(step.ms, reading);
    if (step.do === "write") {
      const bytes = written.subarray(at, at += step.bytes);
      // It waits no longer than a client whose peer does not read would.
      await atMost(WRITE_MS, conn.write(bytes).catch(failed));
    }
  }
  end ??= "left";
  conn.leave();
  await reading;
  return { ...outcome, received: await joined(received), end };
}

function endOf(error: unknown): End {
  return error instanceof Deno.errors.UnexpectedEof ? "truncated" : "reset";
}

/** The service behind a proxy. */
export interface UpstreamServer extends AsyncDisposable {
  port: number;
  /** Its connections that have not ended. */
  open(): number;
}

/** Starts an upstream. */
export async function startUpstream(
  upstream: Upstream,
): Promise<UpstreamServer> {
  const all = new Set<net.Socket>();
  // With TLS from its handshake on: node:tls does not notice who leaves before.
  const open = new Set<net.Socket>();
  const onConnection = (socket: net.Socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    converse(socket, upstream);
  };
  const options = { allowHalfOpen: true };
  const server = upstream.tls
    ? tls.createServer(
      { cert, key, ...options } as tls.TlsOptions,
      onConnection,
    )
    : net.createServer(options, onConnection);
  server.on("connection", (socket) => {
    // A reset deletes what waits to be combined (Nagle, RFC 896).
    socket.setNoDelay(true);
    socket.on("error", () => {});
    all.add(socket);
    socket.on("close", () => all.delete(socket));
  });
  server.on("tlsClientError", (_error: unknown, socket: net.Socket) => {
    socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as net.AddressInfo).port,
    open: () => open.size,
    [Symbol.asyncDispose]() {
      for (const socket of all) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function converse(socket: net.Socket, { does, reply, ends }: Upstream): void {
  const end = () => {
    if (ends === "close") socket.end();
    else if (ends === "truncate") socket.destroy();
    // A reset overtakes what TLS has not handed to its socket yet.
    else setTimeout(() => plainOf(socket).resetAndDestroy(), RESET_MS);
  };
  socket.on("error", () => socket.destroy());
  if (does === "echo") {
    socket.on("data", (data) => {
      if (socket.write(data)) return;
      socket.pause();
      socket.once("drain", () => socket.resume());
    });
    socket.on("end", () => socket.end());
  } else if (does === "flood") {
    let at = 0;
    const flood = setInterval(() => {
      if (socket.writableNeedDrain) return;
      socket.write(PATTERN.subarray(at % PERIOD, at % PERIOD + FLOOD_BYTES));
      at += FLOOD_BYTES;
    }, 1);
    socket.resume();
    socket.on("close", () => clearInterval(flood));
  } else if (does === "early") {
    const answer = () => {
      socket.off("data", answer).off("end", answer).pause();
      socket.write(PATTERN.subarray(0, reply), end);
      if (ends === "close") socket.resume();
    };
    socket.on("data", answer).on("end", answer);
  } else {
    socket.resume();
    socket.on("end", () => {
      if (does === "silent") socket.end();
      else socket.write(PATTERN.subarray(0, reply), end);
    });
  }
}

/** The TCP socket below a TLS one. */
function plainOf(socket: net.Socket): net.Socket {
  return (socket as { _parent?: net.Socket })._parent ?? socket;
}

/** Resolves with the event, or rejects with an error before it. */
function once(from: net.Socket | net.Server, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    from.once(event, () => resolve());
    from.once("error", reject);
    from.once("close", () => reject(new Error("closed")));
  });
}

/** Waits for a promise, at most for `ms`. */
async function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, late]);
  clearTimeout(timer);
}

async function joined(chunks: Uint8Array[]): Promise<Uint8Array> {
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}
