import type { JsonObject } from "../../src/core/json.ts";

/**
 * Reads a table as the ItemReader does: the first row names the columns; all values are texts; a row that is too short is filled
 * with empty texts, and what it has too much is dropped; a blank line is a row; a backslash keeps the next character as it is.
 *
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
 */
export function readCsv(text: string): readonly JsonObject[] {
  const [header = [], ...rows] = records(text);
  return rows.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index] ?? ""])));
}

function records(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  const endRow = (): void => {
    rows.push([...row, cell]);
    row = [];
    cell = "";
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    const next = text.charAt(at + 1);
    if (character === "\\" && next !== "") {
      cell += next;
      at += 1;
    } else if (character === '"' && quoted && next === '"') {
      cell += '"';
      at += 1;
    } else if (character === '"') {
      quoted = !quoted;
    } else if (character === "," && !quoted) {
      row.push(cell);
      cell = "";
    } else if (character === "\r" && next === "\n" && !quoted) {
      continue;
    } else if (character === "\n" && !quoted) {
      endRow();
    } else {
      cell += character;
    }
  }
  if (cell !== "" || row.length > 0) endRow();
  return rows;
}
