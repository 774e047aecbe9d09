/**
 * Types for the parts of `@std` that this project uses, because the npm
 * package that `deno.json` maps them onto ships JavaScript alone. The names
 * and signatures are the official ones. README says how to move to JSR, which
 * makes this file unnecessary.
 *
 * @module
 */

declare module "@std/assert" {
  export class AssertionError extends Error {}
  export function assert(expr: unknown, msg?: string): asserts expr;
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertStrictEquals<T>(
    actual: unknown,
    expected: T,
    msg?: string,
  ): asserts actual is T;
  export function assertAlmostEquals(
    actual: number,
    expected: number,
    tolerance?: number,
    msg?: string,
  ): void;
  export function assertGreaterOrEqual<T>(
    actual: T,
    expected: T,
    msg?: string,
  ): void;
  export function assertLess<T>(actual: T, expected: T, msg?: string): void;
  export function assertLessOrEqual<T>(
    actual: T,
    expected: T,
    msg?: string,
  ): void;
  // deno-lint-ignore no-explicit-any
  type Constructor<T> = abstract new (...args: any[]) => T;
  export function assertInstanceOf<T>(
    actual: unknown,
    expected: Constructor<T>,
    msg?: string,
  ): asserts actual is T;
  export function assertMatch(
    actual: string,
    expected: RegExp,
    msg?: string,
  ): void;
  export function assertStringIncludes(
    actual: string,
    expected: string,
    msg?: string,
  ): void;
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    error?: Constructor<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    error?: Constructor<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
}

declare module "@std/async/delay" {
  export interface DelayOptions {
    signal?: AbortSignal;
    persistent?: boolean;
  }
  export function delay(ms: number, options?: DelayOptions): Promise<void>;
}

declare module "@std/cli/parse-args" {
  export interface ParseOptions {
    string?: string | readonly string[];
    boolean?: boolean | string | readonly string[];
    alias?: Record<string, string | readonly string[]>;
    unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  }
  export function parseArgs(
    args: string[],
    options?: ParseOptions,
    // deno-lint-ignore no-explicit-any
  ): Record<string, any> & { _: Array<string | number> };
}

declare module "@std/path/from-file-url" {
  export function fromFileUrl(url: URL | string): string;
}

declare module "@std/semver/parse" {
  export interface SemVer {
    major: number;
    minor: number;
    patch: number;
    prerelease?: (string | number)[];
    build?: string[];
  }
  export function parse(value: string): SemVer;
}

declare module "@std/semver/less-than" {
  import type { SemVer } from "@std/semver/parse";
  export function lessThan(version1: SemVer, version2: SemVer): boolean;
}

declare module "@std/streams/text-line-stream" {
  export class TextLineStream extends TransformStream<string, string> {
    constructor(options?: { allowCR?: boolean });
  }
}

declare module "@std/text/closest-string" {
  export function closestString(
    givenWord: string,
    possibleWords: readonly string[],
  ): string;
}
