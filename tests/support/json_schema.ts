/**
 * JSON schemas from a line for each field, and a check of values against them.
 *
 * @module
 */

/**
 * Fields by name, each as `TYPE: what it is`. A type is one of JSON's, of a structure
 * the schema, or words in quotes; with `[]` for a list, `{}` for values by any name, and
 * `|null` where it may be null. A field whose name ends with `?` may be absent.
 */
export type Fields = Readonly<Record<string, string>>;

/** The part of JSON schema that is used here. */
export interface Schema {
  type?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  $ref?: string;
  $defs?: Record<string, Schema>;
  $schema?: string;
}

/** JSON's own types. */
const TYPES = ["number", "integer", "string", "boolean", "null"];

/** The schema of a value: `bucket[]|null: what it is`. */
export function valueSchema(text: string): Schema {
  const [, types = "", description = ""] = /^(.*?): (.*)$/.exec(text)!;
  const words = types.match(/"[^"]+"/g);
  if (words) {
    return {
      description,
      enum: words.map((word) => JSON.parse(word)),
    };
  }
  const [, name = "", suffix] = /^(\w+)(\[\]|\{\})?/.exec(types)!;
  const one = name === "any"
    ? {}
    : TYPES.includes(name)
    ? { type: name }
    : { $ref: `#/$defs/${name}` };
  const all = suffix === "[]"
    ? { type: "array", items: one }
    : suffix === "{}"
    ? { type: "object", additionalProperties: one }
    : one;
  return types.endsWith("|null")
    ? { description, anyOf: [all, { type: "null" }] }
    : { description, ...all };
}

/** The schema of an object with these fields, after some with known schemas. */
export function objectSchema(
  fields: Fields,
  known: Record<string, Schema> = {},
): Schema {
  const rows = Object.entries(fields);
  const properties = rows.map(([name, text]) =>
    [name.replace("?", ""), valueSchema(text)] as const
  );
  const required = rows.map(([name]) => name).filter((name) =>
    !name.endsWith("?")
  );
  return {
    type: "object",
    properties: { ...known, ...Object.fromEntries(properties) },
    required: [...Object.keys(known), ...required],
    additionalProperties: false,
  };
}

/** Whether a value has one of JSON schema's types. */
function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null &&
        !Array.isArray(value);
    default: {
      const actual: string = typeof value;
      return actual === type;
    }
  }
}

/** What is wrong with a value, as paths with a reason each; none if it is valid. */
export function violations(
  value: unknown,
  schema: Schema,
  root: Schema = schema,
  path = "$",
): string[] {
  const at = (value: unknown, schema: Schema, key: string | number) =>
    violations(value, schema, root, `${path}.${key}`);
  if (schema.$ref) {
    const name = schema.$ref.replace("#/$defs/", "");
    const target = root.$defs?.[name];
    if (!target) return [`${path}: no schema ${schema.$ref}`];
    return violations(value, target, root, path);
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) {
    const found = choices.map((one) => violations(value, one, root, path));
    const valid = found.filter(({ length }) => length === 0).length;
    const isValid = schema.anyOf ? valid > 0 : valid === 1;
    // The one that comes closest says the most.
    return isValid ? [] : found.sort((a, b) => a.length - b.length)[0]!;
  }
  const { type, items, properties, required = [] } = schema;
  if (schema.enum && !schema.enum.includes(value)) {
    return [`${path}: ${value} is none of ${schema.enum}`];
  }
  if ("const" in schema && schema.const !== value) {
    // Far from the schema of another event.
    return Array(100).fill(`${path}: ${value} is not ${schema.const}`);
  }
  if (type && !hasType(value, type)) return [`${path}: ${value} is no ${type}`];
  if (items) return (value as unknown[]).flatMap((one, i) => at(one, items, i));
  if (type !== "object") return [];
  const { additionalProperties: others } = schema;
  return [
    ...required.filter((name) => !Object.hasOwn(value as object, name))
      .map((name) => `${path}.${name}: missing`),
    ...Object.entries(value as object).flatMap(([name, one]) => {
      const known = properties?.[name];
      if (known) return at(one, known, name);
      if (others === false) return [`${path}.${name}: not in the schema`];
      return typeof others === "object" ? at(one, others, name) : [];
    }),
  ];
}
