/**
 * The intervals of a load run in bounded memory. When there are too many, neighbours
 * are merged, and from then on each entry covers twice the time.
 *
 * ```ts
 * import { LoadIntervals } from "./load_intervals.ts";
 *
 * const intervals = new LoadIntervals();
 * intervals.list(); // []
 * ```
 *
 * @module
 */

import { mergeFigures } from "../stats/interval.ts";
import type { LoadInterval } from "./load_options.ts";

/** An hour of seconds. */
const MAX_INTERVALS = 3_600;

/** The intervals of a run; see above. */
export class LoadIntervals {
  readonly #max: number;
  #list: LoadInterval[] = [];
  // How many intervals an entry covers, and how many the last one covers so far.
  #span = 1;
  #inLast = 1;

  /** Keeps at most `max` entries, an even number. */
  constructor(max: number = MAX_INTERVALS) {
    this.#max = max;
  }

  /** Adds the next interval. */
  add(interval: LoadInterval): void {
    const list = this.#list;
    if (this.#inLast < this.#span) {
      this.#inLast++;
      list.push(merge(list.pop()!, interval, list.at(-1)?.elapsed));
      return;
    }
    if (list.length === this.#max) this.#mergePairs();
    this.#list.push(interval);
    this.#inLast = 1;
  }

  /** The intervals so far. */
  list(): LoadInterval[] {
    return [...this.#list];
  }

  #mergePairs(): void {
    const merged: LoadInterval[] = [];
    for (let i = 0; i < this.#list.length; i += 2) {
      const [first, second] = [this.#list[i]!, this.#list[i + 1]!];
      merged.push(merge(first, second, merged.at(-1)?.elapsed));
    }
    this.#list = merged;
    this.#span *= 2;
  }
}

/** Two neighbours as one interval, which starts at `from`. */
function merge(
  first: LoadInterval,
  second: LoadInterval,
  from = 0,
): LoadInterval {
  const figures = mergeFigures(first, second);
  const time = second.elapsed - from;
  return {
    ...figures,
    timestamp: second.timestamp,
    messagesPerSecond: time > 0 ? figures.messages / time * 1_000 : 0,
  };
}
