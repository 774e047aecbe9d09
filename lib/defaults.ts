/**
 * What holds where nothing else is said.
 *
 * @module
 */

/** Where both ends meet if nothing else is said. */
export const DEFAULT_HOSTNAME = "127.0.0.1";
/** Port 7, which RFC 862 names, is for privileged users on most systems. */
export const DEFAULT_PORT = 12345;
/**
 * Clients that may wait to be taken: as many as Linux allows by default
 * (`net.core.somaxconn`). With Deno's 511, 8000 clients that come at once wait
 * for seconds, until the kernel repeats the handshakes it has dropped.
 */
export const DEFAULT_BACKLOG = 4096;
/** Milliseconds that connecting may take, and then the exchange. */
export const DEFAULT_TIMEOUT_MS = 10_000;
/** Milliseconds that clients get when the server shuts down. */
export const DEFAULT_GRACE_MS = 5_000;

/** Connections of a load run. */
export const DEFAULT_CONNECTIONS = 50;
/** Milliseconds of a load run. */
export const DEFAULT_DURATION_MS = 10_000;
/** Bytes of its messages, as echo benchmarks commonly have it. */
export const DEFAULT_MESSAGE_SIZE = 512;
