import { parse } from "csv-parse/sync";

/** What is wrong with an output table, in rows. */
export interface TableFaults {
  /** Not there, or there with other bytes. */
  readonly lost: number;
  readonly doubled: number;
  /** After a row that comes later in the input. */
  readonly disordered: number;
}

/**
 * A table of so many rows whose bytes are awkward: quotes, commas, newlines, blanks and letters beyond ASCII.
 *
 * @param width - at least so many bytes in a row
 */
export function inputTable(rows: number, width: number): string {
  return `n,text,more\n${Array.from({ length: rows }, (_, n) => `${recordOf(n, width)}\n`).join("")}`;
}

function recordOf(n: number, width: number): string {
  const texts = [`"row, ${n}"`, ` é ${n} `, `"two\nlines ""${n}"""`, "", `"${n}"`];
  return `${n},${texts[n % texts.length]},${"x".repeat(width)}`;
}

/**
 * Compares an output table with what the input and the agent make of it.
 *
 * @param fails - whether the agent fails at a row
 */
export function compareTable(
  output: string,
  { rows, width }: { readonly rows: number; readonly width: number },
  fails: (n: number) => boolean,
): TableFaults {
  const anyFails = Array.from({ length: rows }, (_, n) => n).some(fails);
  const expected = new Map<string, number>();
  for (let n = 0; n < rows; n += 1) {
    const cells = fails(n) ? `,FAILED,T,MS,no luck with ${n}` : `${n * 2},SUCCESS,T,MS${anyFails ? "," : ""}`;
    expected.set(`${recordOf(n, width)},${cells}`, n);
  }
  const records = parse(output, { raw: true, relax_column_count: true }) as unknown as readonly {
    readonly raw: string;
  }[];
  const seen = new Map<number, number>();
  let disordered = 0;
  let last = -1;
  for (const { raw } of records) {
    const masked = raw.replace(/\n$/, "").replace(/,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,\d+(,[^,]*)?$/, ",T,MS$1");
    const n = expected.get(masked);
    if (n === undefined) continue;
    seen.set(n, (seen.get(n) ?? 0) + 1);
    if (n < last) disordered += 1;
    last = Math.max(last, n);
  }
  const doubled = [...seen.values()].reduce((sum, times) => sum + times - 1, 0);
  return { lost: rows - seen.size, doubled, disordered };
}
