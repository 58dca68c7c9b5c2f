import { readFile } from "node:fs/promises";

const root = new URL("../", import.meta.url);

/**
 * What CHANGELOG.md says of the version in package.json.
 *
 * @throws Error when it says nothing of it
 */
export async function releaseNotes(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL("package.json", root), "utf8")) as { readonly version: string };
  const [, ...sections] = (await readFile(new URL("CHANGELOG.md", root), "utf8")).split(/^## /m);
  const section = sections.find((one) => one.startsWith(`${version}\n`));
  const notes = section?.slice(version.length).trim() ?? "";
  if (notes === "") throw new Error(`CHANGELOG.md has nothing under "## ${version}"`);
  return notes;
}

if (import.meta.main) console.log(await releaseNotes());
