import { glob } from "node:fs/promises";

/** Test files that one process runs, one after another. */
export interface TestGroup {
  /** Its folder or file, as `src/cli`. */
  readonly name: string;
  readonly files: readonly string[];
}

/**
 * Sorts test files into groups: each file of `test/e2e/` alone, as it mostly waits for processes of its own, and the others by the
 * first four folders of their path. The longest come first, so that no long one is left for the end.
 *
 * @param root - the folder that patterns and file names are relative to
 */
export async function testGroups(root: string, patterns: readonly string[]): Promise<readonly TestGroup[]> {
  const files = (await Array.fromAsync(glob(patterns, { cwd: root, exclude: ["**/node_modules/**"] }))).toSorted();
  const groups = Map.groupBy(files, (file) =>
    file.startsWith("test/e2e/") ? file : file.split("/").slice(0, -1).slice(0, 4).join("/"),
  );
  return [...groups]
    .map(([name, of]) => ({ name, files: of }))
    .toSorted((a, b) => rank(a.name) - rank(b.name) || b.files.length - a.files.length);
}

const longest = ["test/e2e/", "src/agents", "test/project", "src/cli", "src/engines", "src/stores"];

function rank(name: string): number {
  const index = longest.findIndex((start) => name.startsWith(start));
  return index < 0 ? longest.length : index;
}
