import { RowcallError } from "../../core/errors.ts";

/** The hosts that a browser may talk to. */
export interface AllowedHosts {
  /** As written: `example.com`, `example.com:8080`, `*.example.com`; `*` alone allows all. */
  readonly patterns: readonly string[];
  /** Whether every host is allowed. */
  readonly all: boolean;
  /** Whether the browser may go to this address; local files never, addresses without a host (`about:`, `data:`) always. */
  allows(url: string): boolean;
}

/**
 * Reads a list of allowed hosts.
 *
 * @throws RowcallError AGENT_INVALID naming the pattern that is none
 */
export function parseAllowedHosts(patterns: readonly string[]): AllowedHosts {
  const rules = patterns.map(parsePattern);
  const all = patterns.includes("*");
  return {
    patterns: all ? ["*"] : rules.map(({ text }) => text),
    all,
    allows(address) {
      const url = URL.parse(address);
      if (url === null) return true;
      if (["about:", "data:", "blob:", "chrome-error:"].includes(url.protocol)) return true;
      if (!["http:", "https:", "ws:", "wss:"].includes(url.protocol)) return false;
      return all || rules.some((rule) => matches(rule, url));
    },
  };
}

/** The list as Chromium's proxy bypass rules; implicit rules for the own machine are switched off first. */
export function bypassRules(allowed: AllowedHosts): string {
  return ["<-loopback>", ...allowed.patterns].join(",");
}

/** A navigation that was refused. */
export function hostBlocked(address: string, allowed: AllowedHosts): RowcallError {
  const host = URL.parse(address)?.host ?? "";
  const place = host === "" ? `"${address}"` : `host "${host}"`;
  return new RowcallError(
    "HOST_BLOCKED",
    `The page went to ${place}, which is not allowed (allowed: ${allowed.patterns.join(", ")})`,
    {
      hint:
        host === ""
          ? "A browser agent opens web pages only."
          : `If this host is meant, add "${host}" to the agent's config.allowed_hosts.`,
      details: { url: address, allowedHosts: allowed.patterns },
    },
  );
}

interface Rule {
  readonly text: string;
  /** Host name without the star. */
  readonly name: string;
  readonly subdomains: boolean;
  readonly port: string | undefined;
}

function parsePattern(pattern: string): Rule {
  const [, star, host = "", port] =
    /^(\*\.)?(\[[0-9a-fA-F:.]+\]|[^\s:/?#@,;*<>[\]]+)(?::(\d{1,5}))?$/.exec(pattern) ?? [];
  // The address parser turns international names into the form that goes over the wire.
  const name = URL.parse(`http://${host}/`)?.hostname;
  if (pattern !== "*" && (host === "" || name === undefined)) {
    throw new RowcallError("AGENT_INVALID", `Allowed host ${JSON.stringify(pattern)} is not a host`, {
      hint: 'Write "example.com", "example.com:8080", "*.example.com" or "*".',
    });
  }
  const text = `${star ?? ""}${name ?? "*"}${port === undefined ? "" : `:${port}`}`;
  return { text, name: name ?? "", subdomains: star !== undefined, port };
}

function matches(rule: Rule, url: URL): boolean {
  const secure = url.protocol === "https:" || url.protocol === "wss:";
  const port = url.port || (secure ? "443" : "80");
  if (rule.port !== undefined && rule.port !== port) return false;
  return rule.subdomains ? url.hostname.endsWith(`.${rule.name}`) : url.hostname === rule.name;
}
