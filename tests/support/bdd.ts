/**
 * Replaces `@std/testing/bdd`, with the functions that the tests use: in the npm
 * package that `deno.json` maps `@std` to, a file that `bdd.js` imports is missing.
 * CONTRIBUTING says how to move to JSR, which makes this file unnecessary.
 *
 * Each `it` becomes one `Deno.test` with the names of the blocks around it. All
 * sanitizers are on. Each test has a time limit, which `@std/testing` does not
 * offer.
 *
 * @module
 */

import { withTimeLimit } from "./time_limit.ts";

/** The function of a test or a hook. */
export type Body = () => void | Promise<void>;

/** The options of a test. */
export type ItOptions = Pick<Deno.TestDefinition, "ignore" | "only">;

interface Block {
  readonly names: readonly string[];
  readonly ignore: boolean;
  readonly beforeEach: Body[];
  readonly afterEach: Body[];
}

let block: Block = {
  names: [],
  ignore: false,
  beforeEach: [],
  afterEach: [],
};

function split(rest: [Body] | [ItOptions, Body]): [ItOptions, Body] {
  return rest.length === 1 ? [{}, rest[0]] : rest;
}

/** A block of tests. Its name precedes theirs. */
export function describe(
  name: string,
  ...rest: [() => void] | [ItOptions, () => void]
): void {
  const [{ ignore = false }, body] = split(rest);
  const outer = block;
  block = {
    names: [...outer.names, name],
    ignore: outer.ignore || ignore,
    beforeEach: [...outer.beforeEach],
    afterEach: [...outer.afterEach],
  };
  try {
    body();
  } finally {
    block = outer;
  }
}

/** A test. */
export function it(name: string, ...rest: [Body] | [ItOptions, Body]): void {
  const [options, body] = split(rest);
  const { names, ignore, beforeEach, afterEach } = block;
  Deno.test({
    ...options,
    name: [...names, name].join(" > "),
    ignore: ignore || (options.ignore ?? false),
    sanitizeOps: true,
    sanitizeResources: true,
    sanitizeExit: true,
    async fn() {
      for (const before of beforeEach) await withTimeLimit(before);
      try {
        await withTimeLimit(body);
      } finally {
        for (const after of afterEach) await withTimeLimit(after);
      }
    },
  });
}

/** Runs before each test of this block. */
export function beforeEach(body: Body): void {
  block.beforeEach.push(body);
}

/** Runs after each test of this block, even if the test fails. */
export function afterEach(body: Body): void {
  block.afterEach.push(body);
}
