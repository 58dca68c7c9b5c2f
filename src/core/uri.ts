/**
 * The scheme of a URI in lower case; `"file"` for a plain path, `C:\` included.
 *
 * @example schemeOf("s3://bucket/key") // "s3"
 */
export function schemeOf(uri: string): string {
  const match = /^([a-z][a-z0-9+.-]+):/i.exec(uri);
  return match?.[1]?.toLowerCase() ?? "file";
}

/** A name appended to a prefix, with one slash between them; the empty prefix stays relative. */
export function joinUri(prefix: string, ...names: readonly string[]): string {
  if (prefix === "") return names.join("/");
  return [prefix.replace(/(?<![/\\])[/\\]+$/, ""), ...names].join("/");
}

/**
 * A relative path as seen from the folder that a URI lies in. Of a web page it is taken as a browser takes it, query and all;
 * elsewhere every character stands for itself, and only `.` and `..` mean something.
 *
 * @param base - a URI of any scheme but `file:`
 */
export function resolveUri(base: string, path: string): string {
  if (/^https?:/i.test(base)) return new URL(path, base).href;
  const [, root = "", folder = ""] = /^([a-z][a-z0-9+.-]+:(?:\/\/[^/]*\/?)?)(.*\/)?/is.exec(base) ?? [];
  const segments = folder.split("/").slice(0, -1);
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== ".") segments.push(segment);
  }
  return root + segments.join("/");
}

/** The last segment of a URI or path. */
export function baseName(uri: string): string {
  return (
    uri
      .replace(/(?<![/\\])[/\\]+$/, "")
      .split(/[/\\]/)
      .at(-1) ?? ""
  );
}
