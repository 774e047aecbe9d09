/**
 * The defaults of all options and flags.
 *
 * @module
 */

/** The address of both ends. */
export const DEFAULT_HOSTNAME = "127.0.0.1";
/** Not port 7 of RFC 862: most systems reserve it for privileged users. */
export const DEFAULT_PORT = 12345;
/**
 * The length of the queue of new connections: what Linux allows by default
 * (`net.core.somaxconn`). With Deno's 511, 8000 clients that connect at the same
 * time wait for seconds, until the kernel retries the handshakes it has dropped.
 */
export const DEFAULT_BACKLOG = 4096;
/** Milliseconds that connecting may take, and then the exchange. */
export const DEFAULT_TIMEOUT_MS = 10_000;
/** Milliseconds that shutdown waits for open connections. */
export const DEFAULT_GRACE_MS = 5_000;
/** Bytes that the faults of a server may hold, for all connections together. */
export const DEFAULT_MAX_HELD_BYTES: number = 64 * 1024 * 1024;

/** Bytes of a probe. With the 8 bytes of its header, ping(8) sends 64. */
export const DEFAULT_PING_SIZE = 56;
/** Milliseconds between probes, as with ping(8). */
export const DEFAULT_PING_INTERVAL_MS = 1_000;
/** Milliseconds: longer than any round trip on earth with a retransmission. */
export const DEFAULT_PING_TIMEOUT_MS = 2_000;

/** Connections of a load run. */
export const DEFAULT_CONNECTIONS = 50;
/** Milliseconds of a load run. */
export const DEFAULT_DURATION_MS = 10_000;
/**
 * Milliseconds of a step of the search for the highest rate. At its first rate,
 * 30 messages are above the p99; 20 steps take a minute without their warm-up.
 */
export const DEFAULT_STEP_DURATION_MS = 3_000;
/**
 * Milliseconds of load before the figures of a run with a duration: in its first
 * second, the code of both ends is compiled.
 */
export const DEFAULT_WARMUP_MS = 1_000;
/** Bytes of a message of a load run, as is common for echo benchmarks. */
export const DEFAULT_MESSAGE_SIZE = 512;

/** Port of toxiproxy's interface, as in toxiproxy. */
export const DEFAULT_TOXIPROXY_PORT = 8474;
