/**
 * What is written to a connection: directly, or through the stages of faults, which
 * may be replaced at any time. One bounded queue holds the chunks that wait for the
 * stages. What the old faults hold is sent first, at once and unchanged.
 *
 * @module
 */

import { closeConn, type Conn } from "../net/conn.ts";
import type { FaultCounts, FaultName } from "../net/fault_options.ts";
import type { LinkFaults } from "./control.ts";
import type { HeldBytes } from "./held_bytes.ts";
import type { Chunk, End } from "./stage.ts";
import { Stages } from "./stages.ts";

/** The owner of a link. */
export interface LinkOwner {
  /** Counts what all links hold. */
  readonly held: HeldBytes;
  /** The connection has got the end of the stream. Called at most once. */
  onLinkEnd(link: Link, end: End): void;
  /** The connection does not take any more. Called at most once. */
  onLinkError(link: Link, error: unknown): void;
}

/** Bytes from which on a link takes no more until it has sent some. */
const MAX_HELD = 1024 * 1024;

/** Bytes of memory that a chunk takes beside its own: it bounds tiny chunks too. */
const CHUNK_OVERHEAD = 128;

/** No faults: the one setting that is never replaced. */
const NONE = new Stages([], 0);

/** A chunk that waits for its stages. */
interface Queued extends Chunk {
  readonly stages: Stages;
}

/** The way to a connection. */
export class Link {
  /** Bytes written to the connection. */
  bytesWritten = 0;
  /** Whether to write to `conn` itself. Otherwise, call `enqueue`. */
  direct = true;
  /** The end that the connection has got, or why it gets none. */
  ended: End | undefined;
  /** How often each fault took effect; `undefined` if none ever did. */
  counts: FaultCounts | undefined;
  /** The connection. */
  readonly conn: Conn;
  readonly #owner: LinkOwner;
  #stages = NONE;
  readonly #queue: Queued[] = [];
  #held = 0;
  /** Bytes that may be enqueued before a reset that needs unread data. */
  #untilReset = Infinity;
  /** Nothing follows: the stream has ended or failed, or the link is closed. */
  #over = false;
  #changed: PromiseWithResolvers<void> | undefined;

  /** Has no faults yet. */
  constructor(conn: Conn, owner: LinkOwner) {
    this.conn = conn;
    this.#owner = owner;
  }

  /**
   * Bytes that a read may return. A connection that cannot reset must have unread
   * data when the fault `reset` closes it.
   */
  get maxRead(): number {
    return this.#untilReset > 0 ? this.#untilReset : 1;
  }

  /** Replaces the faults, for all chunks from now on. Times count from `since`. */
  setFaults(faults: readonly LinkFaults[], since: number): void {
    if (this.#over || this.direct && faults.length === 0) return;
    this.#release();
    this.#stages = faults.length > 0 ? new Stages(faults, since) : NONE;
    this.#untilReset = this.conn.reset
      ? Infinity
      : Math.min(...faults.map(({ faults }) => faults.reset ?? Infinity));
    this.#change();
    if (!this.direct) return;
    this.direct = false;
    void this.#pump();
  }

  /** Queues a copy of a chunk. Resolves when the next one may be enqueued. */
  async enqueue(bytes: Uint8Array): Promise<void> {
    const at = performance.now();
    const { held } = this.#owner;
    while (!this.#over && this.#held >= MAX_HELD) await this.#changes();
    while (!this.#over && held.full) await held.room();
    // The faults may have ended meanwhile.
    if (this.direct) await this.#send({ at, bytes });
    else if (!this.#over) this.#push({ at, bytes: bytes.slice() });
    held.wake();
    while (this.#untilReset < 0 && !this.#over) await this.#changes();
  }

  /** Ends the stream, behind all chunks so far. */
  end(end: End): void {
    if (this.direct) void this.#deliver(end);
    else this.#push({ at: performance.now(), bytes: new Uint8Array(), end });
  }

  /** Ends the stream without a word. What the faults hold is dropped. */
  close(end: End = { kind: "truncated" }): void {
    this.#stop();
    this.ended ??= end;
  }

  /** Counts that a fault took effect. */
  count(fault: FaultName, by = 1): void {
    const counts = this.counts ??= {};
    counts[fault] = (counts[fault] ?? 0) + by;
  }

  /** Sends what is queued through the stages, until there are none. */
  async #pump(): Promise<void> {
    try {
      while (!this.#over && !this.direct) await this.#sendSetting();
    } catch (error) {
      if (this.#over) return;
      this.#stop();
      this.#owner.onLinkError(this, error);
    }
  }

  /** Sends what is left of older settings, and then all chunks of this one. */
  async #sendSetting(): Promise<void> {
    const stages = this.#stages;
    const [chunk] = this.#queue;
    if (chunk && chunk.stages !== stages) {
      await this.#send(chunk);
      this.#dequeue(chunk);
    } else if (!chunk && stages.empty) {
      this.direct = true;
    } else {
      const sent = stages.apply(this.#chunks(stages), {
        end: (end) => void this.#deliver(end),
        count: (fault, by) => this.count(fault, by),
      });
      for await (const chunk of sent) {
        await this.#send(chunk);
        if (this.#over) return;
      }
    }
  }

  /** The chunks that are queued, until the faults are replaced or none are left. */
  async *#chunks(stages: Stages): AsyncGenerator<Chunk> {
    while (!this.#over && !stages.released) {
      const [chunk] = this.#queue;
      if (chunk) {
        yield chunk;
        // Asked for the next one, the stages have passed this one on.
        this.#dequeue(chunk);
      } else if (stages.empty) return;
      else await this.#changes();
    }
  }

  async #send({ bytes, end }: Chunk): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#over;) {
      const count = await this.conn.write(bytes.subarray(at));
      this.bytesWritten += count;
      at += count;
    }
    if (end) await this.#deliver(end);
  }

  async #deliver(end: End): Promise<void> {
    if (this.#over) return;
    this.#stop();
    // The end of a reset is known before the reads notice it.
    if (end.kind === "reset") reset(this.conn);
    // A peer that is gone is noticed where it is read from.
    else await halfClose(this.conn, end).catch(() => {});
    // The session may have closed it meanwhile, for another fault.
    if (this.ended) return;
    this.ended = end;
    this.#owner.onLinkEnd(this, end);
  }

  #push(chunk: Chunk): void {
    if (this.#over) return;
    this.#queue.push({ ...chunk, stages: this.#stages });
    this.#untilReset -= chunk.bytes.length;
    this.#hold(chunk, 1);
  }

  /** Removes the first chunk, unless the link was closed. */
  #dequeue(chunk: Chunk): void {
    if (this.#queue[0] !== chunk) return;
    this.#queue.shift();
    this.#hold(chunk, -1);
  }

  #hold({ bytes }: Chunk, sign: 1 | -1): void {
    const memory = sign * (bytes.length + CHUNK_OVERHEAD);
    this.#held += memory;
    this.#owner.held.add(memory);
    this.#change();
  }

  #stop(): void {
    this.#over = true;
    this.#owner.held.add(-this.#held);
    this.#held = 0;
    this.#queue.length = 0;
    this.#release();
    this.#change();
  }

  /** Ends the pauses of the stages. */
  #release(): void {
    if (this.#stages !== NONE) this.#stages.release();
  }

  /** Resolves at the next change that a chunk may wait for. */
  #changes(): Promise<void> {
    return (this.#changed ??= Promise.withResolvers()).promise;
  }

  #change(): void {
    this.#changed?.resolve();
    this.#changed = undefined;
  }
}

function reset(conn: Conn): void {
  if (conn.reset) conn.reset();
  else closeConn(conn);
}

async function halfClose(conn: Conn, { kind }: End): Promise<void> {
  // The FIN of a TLS connection without close_notify closes it in both directions.
  if (kind === "truncated" && conn.handshake) return closeConn(conn);
  await conn.closeWrite();
}
