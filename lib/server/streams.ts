/**
 * The streams of a session: from the client back to itself, or to an upstream and
 * back. Each is a copy to a link. The end of a stream is passed on behind its bytes,
 * each direction by itself, and the session is over when all have ended.
 *
 * A side that is reset ends the other one. A side that does not take any more, such
 * as a server that answers early and closes, may still have something to say: what is
 * for it is dropped, and the other direction goes on.
 *
 * @module
 */

import type { HeldBytes } from "../faults/held_bytes.ts";
import { Link, type LinkOwner } from "../faults/link.ts";
import type { End } from "../faults/stage.ts";
import { closeConn, type Conn } from "../net/conn.ts";
import { EchoError } from "../net/errors.ts";
import { describeError } from "../net/system_error.ts";
import { Copy, type CopyEvents } from "./copy.ts";
import { QuietTimer } from "./quiet_timer.ts";

/** The owner of streams. */
export interface StreamsOwner {
  /** Counts what the faults of all sessions hold. */
  readonly held: HeldBytes;
  /** All streams have ended. The owner closes them. */
  onFinish(reason: "closed" | "reset" | "fault", error?: unknown): void;
}

/**
 * Milliseconds in which the client may close its side, or take what faults hold, once
 * there is nothing more to do. Closing earlier could reset the connection before the
 * client has read everything (RFC 2525, section 2.17).
 */
const LINGER_MS = 5_000;

/** The client, or the upstream. */
export interface Side {
  readonly name: "client" | "upstream";
  readonly conn: Conn;
  /** What is written to it. */
  readonly link: Link;
  /** Copies what it sends. Missing until it is connected to the other side. */
  input?: Copy;
}

/** The streams of a session. */
export class Streams implements CopyEvents, LinkOwner {
  /** The client. */
  readonly client: Side;
  /** The upstream, once there is one. */
  upstream: Side | undefined;
  /** The side that has ended its stream first. */
  closedBy: "client" | "upstream" | undefined;
  /** See `StreamsOwner`. */
  readonly held: HeldBytes;
  readonly #owner: StreamsOwner;
  /** The fault that has cut a stream. */
  #cut = false;
  /** Whether the client's stream was ended for it. */
  #halfClosed = false;
  #closed = false;
  #quiet: QuietTimer | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;

  /** Has no stream yet, but a link to the client. */
  constructor(client: Conn, owner: StreamsOwner) {
    this.#owner = owner;
    this.held = owner.held;
    this.client = this.side("client", client);
  }

  /** A side whose bytes are not copied yet. */
  side(name: Side["name"], conn: Conn): Side {
    return { name, conn, link: new Link(conn, this) };
  }

  /** Sends the client its own bytes. */
  echo(): void {
    const { conn, link } = this.client;
    this.client.input = new Copy(conn, link, this);
    this.client.input.start();
  }

  /** Sends the bytes of each side to the other one. */
  forward(upstream: Side): void {
    const { client } = this;
    this.upstream = upstream;
    client.input = new Copy(client.conn, upstream.link, this);
    upstream.input = new Copy(upstream.conn, client.link, this);
    client.input.start();
    upstream.input.start();
  }

  /** The sides that there are. */
  get sides(): Side[] {
    return this.upstream ? [this.client, this.upstream] : [this.client];
  }

  /** Bytes in all directions. */
  get bytes(): number {
    let sum = 0;
    for (const { input, link } of this.sides) {
      sum += (input?.bytesRead ?? 0) + link.bytesWritten;
    }
    return sum;
  }

  /** Changes with each read, also of what is dropped. */
  get lastRead(): number {
    return Math.max(...this.sides.map(({ input }) => input?.lastRead ?? 0));
  }

  /** Whether everything that was read is written. */
  get isWhole(): boolean {
    return this.sides.every(({ input, link }) =>
      input?.isWaiting && link.direct
    );
  }

  /** Whether the last read was of the upstream, as a reply is, if there is one. */
  get isAnswered(): boolean {
    return this.upstream?.input?.lastRead === this.lastRead || !this.upstream;
  }

  /** Ends the client's stream after the current chunk. The rest is dropped. */
  halfClose(): void {
    this.#halfClosed = true;
    this.client.input?.finish();
  }

  /** Closes all at once. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#linger);
    this.#quiet?.stop();
    for (const side of this.sides) closeSide(side);
  }

  /** A stream ends, and no byte of it follows. */
  onEnd(copy: Copy, end: End): void {
    const { from, to } = this.#directionOf(copy);
    if (end.kind === "reset") {
      this.closedBy ??= from.name;
      if (from === to) return this.#owner.onFinish("reset", end.error);
      // It does not take any more either.
      from.link.close(end);
      to.input!.stop();
      if (from !== this.client) {
        end = { kind: "reset", error: upstreamError(end.error) };
      }
    }
    // A side that did not take everything cannot say that its own stream is complete.
    const partial = from !== to && from.link.ended?.kind === "reset";
    to.link.end(partial && end.kind === "eof" ? { kind: "truncated" } : end);
  }

  /** A side has ended its stream. */
  onSourceEnd(copy: Copy): void {
    if (!this.#cut) {
      this.closedBy ??= this.#directionOf(copy).from.name;
    }
    this.#finishIfDone();
  }

  /** A side does not take any more. */
  onWriteError(copy: Copy, error: unknown): void {
    this.onLinkError(this.#directionOf(copy).to.link, error);
  }

  /** A side has got the end of its stream. */
  onLinkEnd(link: Link, { kind, fault, error }: End): void {
    // The first fault ends the connection, whatever those of other links do.
    if (fault && !this.#cut) link.count(fault);
    if (kind === "reset") {
      return this.#onReset(
        link,
        fault ? new Deno.errors.ConnectionAborted("reset by a fault") : error,
      );
    }
    if (fault) this.#onCut(link);
    this.#finishIfDone();
  }

  /** A side does not take any more. */
  onLinkError(link: Link, error: unknown): void {
    if (link === this.client.link) return this.#owner.onFinish("reset", error);
    link.close({ kind: "reset", error });
    this.client.input?.discard();
    this.#finishIfDone();
  }

  #directionOf(copy: Copy): { from: Side; to: Side } {
    const { client, upstream = client } = this;
    return copy === client.input
      ? { from: client, to: upstream }
      : { from: upstream, to: client };
  }

  /** A side was reset. What was read of an upstream before still reaches the client. */
  #onReset(link: Link, error: unknown): void {
    const { client, upstream } = this;
    if (
      link === client.link || client.link.ended ||
      client.input?.sourceEnd?.kind === "reset"
    ) {
      return this.#owner.onFinish("reset", error);
    }
    upstream?.input?.stop();
    client.input?.stop();
    client.link.end({ kind: "reset", error });
    this.#finishIfDone();
  }

  /** A fault has ended the stream to a side. */
  #onCut(link: Link): void {
    this.#cut = true;
    if (!this.client.input) return this.#finish();
    this.client.input.discard();
    if (link === this.client.link && this.upstream) closeSide(this.upstream);
    this.#closeSoon();
  }

  #finishIfDone(): void {
    if (this.#closed) return;
    const { sides } = this;
    const sourcesEnded = sides.every(({ input }) => input?.isOver);
    const linksEnded = sides.every(({ link }) => link.ended);
    if (sourcesEnded && linksEnded) this.#finish();
    else if (linksEnded && !this.#halfClosed) this.#closeSoon();
    else if (sourcesEnded) {
      // Nobody may be there who takes what faults hold.
      this.#quiet ??= new QuietTimer();
      this.#quiet.start(LINGER_MS, {
        count: () => this.bytes,
        onQuiet: this.#finish,
      });
    }
  }

  #closeSoon(): void {
    this.#linger ??= setTimeout(this.#finish, LINGER_MS);
  }

  #finish = (): void => {
    this.#owner.onFinish(this.#cut ? "fault" : "closed");
  };
}

function closeSide({ conn, link, input }: Side): void {
  input?.stop();
  link.close();
  closeConn(conn);
}

function upstreamError(cause: unknown): EchoError {
  return new EchoError(`the upstream failed: ${describeError(cause)}`, {
    cause,
  });
}
