/**
 * How evenly something was shared out, as one number.
 *
 * ```ts
 * import { fairness } from "./fairness.ts";
 * fairness([3, 3, 3]); // 1
 * fairness([9, 0, 0]); // 1/3
 * ```
 *
 * @module
 */

/**
 * Jain's fairness index of what connections got: 1 where all got the same, 1/n
 * where one got all (Jain, Chiu, Hawe: DEC-TR-301, 1984).
 */
export function fairness(shares: readonly number[]): number {
  let sum = 0, squares = 0;
  for (const share of shares) {
    sum += share;
    squares += share * share;
  }
  return squares === 0 ? 1 : sum * sum / (shares.length * squares);
}
