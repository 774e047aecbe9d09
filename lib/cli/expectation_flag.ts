/**
 * The values of `--expect`. A refusal says what is wrong with the condition,
 * which the fixed words of a flag type could not.
 *
 * ```ts
 * import { expectation } from "./expectation_flag.ts";
 * expectation.parse("p99<5ms")?.limit; // 5
 * expectation.parse("p99<5"); // UsageError: the unit is missing
 * ```
 *
 * @module
 */

import { type Expectation, parseExpectation } from "../stats/expectation.ts";
import type { Mode } from "../stats/metrics.ts";
import type { FlagType } from "./flag_types.ts";
import { UsageError } from "./flags.ts";

/** `parseExpectation`, its refusals after what was attempted. */
function parse(text: string, attempt: string, mode?: Mode): Expectation {
  try {
    return parseExpectation(text, mode);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`${attempt}: ${error.message}`);
  }
}

/** A condition on the figures of a run; `parse` throws a `UsageError`. */
export const expectation: FlagType<Expectation> = {
  placeholder: "CONDITION",
  expected: "a condition such as p99<5ms, loss<1%, rate>9000 or errors=0",
  parse: (text) => parse(text, `Cannot use --expect "${text}"`),
};

/**
 * Refuses a condition that a mode cannot measure, once the mode is known.
 *
 * @throws {UsageError} that names the condition and what the mode measures.
 */
export function requireMeasured(
  expectations: readonly Expectation[],
  mode: Mode,
): void {
  for (const { text } of expectations) {
    parse(text, `Cannot use --expect "${text}" with --${mode}`, mode);
  }
}
