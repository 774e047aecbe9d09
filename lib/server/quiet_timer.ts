/**
 * A timer that waits for silence: it calls back once a counter has not changed for a
 * while.
 *
 * @module
 */

/** What a timer watches. */
export interface Quiet {
  /** Changes while there is no silence. */
  count(): number;
  /** Called once after the silence. */
  onQuiet(): void;
}

/** A timer that waits for silence. */
export class QuietTimer {
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Waits for `ms` milliseconds of silence, and forgets what it waited for before. */
  start(ms: number, quiet: Quiet): void {
    this.stop();
    const before = quiet.count();
    const restartOr = (next: () => void) => () =>
      quiet.count() === before ? next() : this.start(ms, quiet);
    // Half of the time, twice: if the process was busy, a due timer runs before
    // the data that arrived meanwhile, and the next timer after it.
    this.#timer = setTimeout(
      restartOr(() => {
        this.#timer = setTimeout(restartOr(quiet.onQuiet), ms / 2);
      }),
      ms / 2,
    );
  }

  /** Waits no more. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
