/** Variables that a browser gets from its surroundings: none of them names a secret. */
const names: ReadonlySet<string> = new Set(
  [
    // Where things are.
    "HOME PATH TMPDIR LD_LIBRARY_PATH CHROME_DEVEL_SANDBOX",
    "XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_DIRS XDG_DATA_HOME XDG_RUNTIME_DIR",
    // What pages look like.
    "DISPLAY WAYLAND_DISPLAY XAUTHORITY FONTCONFIG_FILE FONTCONFIG_PATH FONTCONFIG_SYSROOT LANG LANGUAGE TZ TZDIR",
    // Windows.
    "APPDATA COMSPEC LOCALAPPDATA PATHEXT PROGRAMDATA PROGRAMFILES PROGRAMFILES(X86) SYSTEMDRIVE SYSTEMROOT",
    "TEMP TMP USERPROFILE WINDIR",
  ].flatMap((line) => line.split(" ")),
);

/**
 * The part of an environment that a browser gets. Pages run in its processes, so that it has none of what this process was given for
 * others: keys, tokens, proxies with their passwords.
 */
export function browserEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env))
    if (value !== undefined && (names.has(name.toUpperCase()) || /^LC_[A-Z]+$/.test(name))) kept[name] = value;
  return kept;
}
