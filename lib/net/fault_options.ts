/**
 * The faults that a server injects, for tests of how a client handles a bad
 * network. The names are those of toxiproxy where it has one. Types only;
 * `lib/echo.ts` exports them.
 *
 * @module
 */

/**
 * The faults of a connection. All of them combine. Bytes, times and random choices
 * count from the accept, or from when the faults were set on the open connection.
 */
export interface Faults {
  /** Milliseconds by which each chunk is delayed, in order, and its end too. */
  latency?: number | undefined;
  /** Milliseconds by which the latency varies up and down, evenly distributed. */
  jitter?: number | undefined;
  /** The probability with which each byte is changed, from 0 to 1. */
  corrupt?: number | undefined;
  /** Bytes after which the connection is closed, 0 or more. */
  limitData?: number | undefined;
  /** Like `limitData`, but after this many milliseconds. */
  closeAfter?: number | undefined;
  /**
   * Bytes after which nothing more is sent, 0 or more. The connection stays open. Up
   * to 1 MiB is held back, and sent when the faults are changed.
   */
  stall?: number | undefined;
  /** Like `stall`, but after this many milliseconds. */
  stallAfter?: number | undefined;
  /**
   * Bytes after which the connection is reset, as soon as there is one byte more to
   * send, 0 or more. The peer gets a TCP reset (RFC 9293, section 3.10.7). A server
   * that was started without `faults`, and Unix sockets, can only close with
   * unread data, which is a reset behind an end of input (RFC 2525, section 2.17).
   */
  reset?: number | undefined;
  /** Like `reset`, but after this many milliseconds, whether there is data or not. */
  resetAfter?: number | undefined;
  /** Bytes of a slice, 1 or more: larger chunks are sent in slices. */
  slicer?: number | undefined;
  /** Milliseconds between two slices. Needs `slicer`. */
  slicerDelay?: number | undefined;
  /** Bytes by which slices vary up and down, evenly distributed. Needs `slicer`. */
  slicerVariation?: number | undefined;
  /** Bytes per second, 1 or more. */
  bandwidth?: number | undefined;
  /** Milliseconds by which the end of input is passed on later. */
  slowClose?: number | undefined;
  /** Milliseconds after the accept before the first byte flows in either direction. */
  connectDelay?: number | undefined;
  /** Closes each connection as soon as it is accepted. */
  closeOnAccept?: boolean | undefined;
  /**
   * An outage: closes each connection as soon as it is accepted, and at once those
   * that are open.
   */
  down?: boolean | undefined;
  /**
   * Closes the port, so that clients are refused. Open connections stay. The port is
   * taken again afterwards; if another program has it, `onAcceptError` says so, and
   * the server tries again. `toxicity` does not apply.
   */
  refuse?: boolean | undefined;
  /**
   * The share of connections that get the faults, from 0 to 1. It is drawn once for
   * a connection, whatever its directions.
   * @default {1}
   */
  toxicity?: number | undefined;
  /**
   * Makes random choices repeat: the same seed changes the same bytes of the same
   * connection. A whole number from 0 to 2^53 - 1.
   */
  seed?: number | undefined;
}

/** A direction of a proxy's connections. An echo has only `downstream`. */
export type Direction = "downstream" | "upstream";

/** One entry of a list of faults, which are stacked in its order. */
export interface FaultEntry extends Faults {
  /**
   * Whose bytes the faults are in: `downstream` is what the client receives, and
   * `upstream` what the upstream receives.
   * @default {"downstream"}
   */
  direction?: Direction | "both" | undefined;
}

/** Faults for each direction. */
export interface DirectedFaults {
  /** Faults in what the client receives. */
  downstream?: Faults | undefined;
  /** Faults in what the upstream receives. */
  upstream?: Faults | undefined;
}

/** A setting of faults: those of one entry, by direction, or a list of entries. */
export type FaultSetting = Faults | DirectedFaults | readonly FaultEntry[];

/** A fault of connections, by its option, without options that adjust others. */
export type FaultName = Exclude<
  keyof Faults,
  "jitter" | "slicerDelay" | "slicerVariation" | "refuse" | "toxicity" | "seed"
>;

/**
 * How often each fault took effect. A fault that never did has no key.
 *
 * It counts chunks (`latency`, which includes `jitter`), bytes (`bandwidth`,
 * `corrupt`), slices (`slicer`), and connections (the others).
 */
export type FaultCounts = { [Name in FaultName]?: number };
