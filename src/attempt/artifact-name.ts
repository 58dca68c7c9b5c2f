import { RowcallError } from "../core/errors.ts";

const longest = 200;
// Windows knows these in any folder, in any case and with any extension.
const device = /^(?:con|prn|aux|nul|conin\$|conout\$|com[\d¹²³]|lpt[\d¹²³])(?:\.|$)/i;
const mostOfOneName = 1000;

/**
 * Lets pass what can only be a file in the attempt's own folder, on every file system: an agent may have the name from a cell or a page.
 *
 * @throws RowcallError AGENT_FAILED
 */
export function requirePlainName(name: string): void {
  const reason =
    name === "" || name.length > longest
      ? `must have 1 to ${longest} characters`
      : /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)
        ? "has characters that cannot be seen"
        : /[<>:"/\\|?*]/.test(name)
          ? 'has one of < > : " / \\ | ? *'
          : /^[. ]|[. ]$/.test(name)
            ? "begins or ends with a dot or a space"
            : device.test(name)
              ? "is the name of a device on Windows"
              : undefined;
  if (reason === undefined) return;
  throw new RowcallError("AGENT_FAILED", `${shown(name)} cannot be the name of an artifact: it ${reason}`, {
    hint: "Give artifacts.save one plain name, such as page.html.",
  });
}

/**
 * Writes under a name that nothing has: `page.html`, else `page-2.html` and so on.
 *
 * @param write - fails with OUTPUT_EXISTS when the name is taken
 * @returns the name that was free, and what `write` gave
 */
export async function writeUnderFreeName<T>(
  name: string,
  write: (name: string) => Promise<T>,
): Promise<{ readonly name: string; readonly written: T }> {
  for (let number = 1; ; number += 1) {
    const free = number === 1 ? name : numbered(name, number);
    try {
      return { name: free, written: await write(free) };
    } catch (thrown) {
      const isTaken = thrown instanceof RowcallError && thrown.code === "OUTPUT_EXISTS";
      if (!isTaken || number === mostOfOneName) throw thrown;
    }
  }
}

function numbered(name: string, number: number): string {
  const [, stem = name, extension = ""] = /^(.+?)(\.[^.]+)?$/s.exec(name) ?? [];
  return `${stem}-${number}${extension}`;
}

function shown(name: string): string {
  return JSON.stringify(name.length > longest ? `${name.slice(0, longest)}…` : name);
}
