/**
 * How much of a message has come back, and the errors that end an exchange early.
 *
 * ```ts
 * import { Progress } from "./progress.ts";
 *
 * const progress = new Progress(14);
 * progress.received = 7;
 * throw progress.closed(); // "closed by the server after 7 of 14 bytes"
 * ```
 *
 * @module
 */

import {
  ConnectionResetError,
  TimedOutError,
  UnexpectedEofError,
} from "../net/errors.ts";

/** The bytes of one message, or of a stream. */
export class Progress {
  /** Bytes that were sent, or are going to be. */
  expected: number;
  /** Bytes that came back. */
  received = 0;

  /** Takes the bytes to expect. */
  constructor(expected: number) {
    this.expected = expected;
  }

  /** Both counts in words. */
  toString(): string {
    return `${this.received} of ${this.expected} bytes`;
  }

  /** The error if the server closed the connection. */
  closed(): UnexpectedEofError {
    return new UnexpectedEofError(`closed by the server after ${this}`, this);
  }

  /** The error if the connection was reset. */
  reset(cause: unknown): ConnectionResetError {
    const { received, expected } = this;
    return new ConnectionResetError(`reset after ${this}`, {
      received,
      expected,
      cause,
    });
  }

  /** The error if the echo was not complete in time. */
  timedOut(timeout: number): TimedOutError {
    return new TimedOutError(`${this} within ${timeout} ms`);
  }
}
