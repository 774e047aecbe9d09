/**
 * Reading of JSON that others wrote, and the errors of toxiproxy's interface. Each
 * names the path of what is wrong.
 *
 * @module
 */

/** What a request or a file may hold. */
export type Json = unknown;

/** A JSON object. */
export type JsonObject = Readonly<Record<string, Json>>;

/** An error with the status and the body of toxiproxy's answer. */
export class ApiError extends Error {
  /** The status of the answer. */
  readonly status: number;
  /** What the body says beside `error` and `status`. */
  readonly details: JsonObject;

  /** `message` is in toxiproxy's words. */
  constructor(status: number, message: string, details: JsonObject = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.details = details;
  }
}

/** Says that the value at `path` is wrong. */
export function badRequest(path: string, why: string): ApiError {
  const place = path.replace(/^\./, "");
  return new ApiError(
    400,
    `bad request body: ${place ? `${place}: ` : ""}${why}`,
  );
}

/** @throws {ApiError} if a value is not an object. */
export function objectAt(json: Json, path: string): JsonObject {
  if (typeof json === "object" && json !== null && !Array.isArray(json)) {
    return json as JsonObject;
  }
  throw badRequest(path, json === undefined ? "EOF" : "expected an object");
}

/**
 * The value of a key, or `fallback` if there is none or it is null, as in Go.
 *
 * @throws {ApiError} if it is of another type than `fallback`.
 */
export function read<T extends string | number | boolean>(
  object: JsonObject,
  key: string,
  fallback: T,
  path: string,
): T {
  const value = object[key] ?? fallback;
  if (typeof value === typeof fallback) return value as T;
  throw badRequest(`${path}.${key}`, `expected a ${typeof fallback}`);
}

/** @throws {ApiError} that names the first key that is not one of `known`. */
export function rejectUnknown(
  object: JsonObject,
  known: readonly string[],
  path: string,
): void {
  for (const key of Object.keys(object)) {
    if (known.includes(key)) continue;
    throw badRequest(
      `${path}.${key}`,
      `unknown key; expected ${known.join(", ")}`,
    );
  }
}
