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
  return [prefix.replace(/[/\\]+$/, ""), ...names].join("/");
}

/** The last segment of a URI or path. */
export function baseName(uri: string): string {
  return (
    uri
      .replace(/[/\\]+$/, "")
      .split(/[/\\]/)
      .at(-1) ?? ""
  );
}
