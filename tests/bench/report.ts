/**
 * The figures of a benchmark as tables: a row a server, the median of its rounds
 * in each column, and how ours compares.
 *
 * @module
 */

/** What a server is loaded with; no bytes: it is not loaded. */
export interface Workload {
  readonly connections: number;
  /** Bytes of a message. */
  readonly size: number;
}

/** What a round came to, as far as it was measured. */
export interface Figures {
  messagesPerSecond?: number;
  /** Microseconds of the server's CPU for each message. */
  cpu?: number;
  /** Milliseconds, like the two after it. */
  p50?: number;
  p99?: number;
  p999?: number;
  /** Jain's index. */
  fairness?: number;
  /** Connections without any reply. */
  starved?: number;
  errors?: number;
  /** Megabytes that the server holds. */
  memory?: number;
  /** Kilobytes for each connection. */
  perIdle?: number;
}

/** Columns, how many decimals they have, and whether ours is set against them. */
const COLUMNS: readonly [keyof Figures, string, number, boolean][] = [
  ["messagesPerSecond", "messages/s", 0, true],
  ["cpu", "CPU µs", 1, true],
  ["p50", "p50 ms", 2, false],
  ["p99", "p99 ms", 2, false],
  ["p999", "p99.9 ms", 2, false],
  ["fairness", "fairness", 4, false],
  ["starved", "starved", 0, false],
  ["errors", "errors", 0, false],
  ["memory", "MB", 0, true],
  ["perIdle", "kB each", 1, true],
];

/** The middle one, or the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

/** A number with thousands apart, or a dash where there is none. */
function show(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return "–";
  return value.toLocaleString("en-US", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
}

/** A workload's table. The first server is ours; `×` is ours over theirs. */
export function table(
  { connections, size }: Workload,
  figures: ReadonlyMap<string, readonly Figures[]>,
): string {
  const servers = [...figures.keys()];
  const [ours = ""] = servers;
  const of = (server: string, key: keyof Figures) =>
    median((figures.get(server) ?? []).map((round) => round[key] ?? NaN));
  const columns = [["", ...servers]];
  for (const [key, title, decimals, compared] of COLUMNS) {
    const values = servers.map((server) => of(server, key));
    if (values.every(Number.isNaN)) continue;
    columns.push([title, ...values.map((value) => show(value, decimals))]);
    if (compared) {
      const ratios = values.map((value) => show(of(ours, key) / value, 2));
      columns.push(["×", ...ratios]);
    }
  }
  const widths = columns.map((column) =>
    Math.max(...column.map(({ length }) => length))
  );
  const rows = ["", ...servers].map((_, row) =>
    columns.map((column, i) => {
      const width = widths[i]!;
      return i === 0
        ? column[row]!.padEnd(width)
        : column[row]!.padStart(width);
    }).join("  ")
  );
  const title = size === 0
    ? `${show(connections, 0)} idle connections`
    : `${show(connections, 0)} connection${connections === 1 ? "" : "s"}, ${
      show(size, 0)
    } bytes a message`;
  return [title, "", ...rows].join("\n");
}
