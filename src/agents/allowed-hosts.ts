import { RowcallError } from "../core/errors.ts";

/** A host and port to be reached. */
export interface Target {
  /** As in an URL's `hostname`: lower case, IPv6 in brackets. */
  readonly hostname: string;
  readonly port: number;
}

/** Host and port of a web address. */
export function targetOf({ hostname, port, protocol }: URL): Target {
  const secure = protocol === "https:" || protocol === "wss:";
  return { hostname, port: port === "" ? (secure ? 443 : 80) : Number(port) };
}

/** Target as it stands in requests: `example.com:443`. */
export function authorityOf({ hostname, port }: Target): string {
  return `${hostname}:${port}`;
}

/** The hosts that a browser may talk to. */
export interface AllowedHosts {
  /** As written: `example.com`, `example.com:8080`, `*.example.com`; `*` alone allows all. */
  readonly patterns: readonly string[];
  /** Returns whether the browser may connect to this host and port. */
  reaches(target: Target): boolean;
  /** Returns whether a page may have this address; local files never, addresses without a host (`about:`, `data:`) always. */
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
  const reaches = (target: Target): boolean => all || rules.some((rule) => matches(rule, target));
  return {
    patterns: all ? ["*"] : rules.map(({ text }) => text),
    reaches,
    allows(address) {
      // A page that has not gone anywhere yet.
      if (address === "") return true;
      const url = URL.parse(address);
      if (url === null) return false;
      if (["about:", "data:", "blob:", "chrome-error:"].includes(url.protocol)) return true;
      if (!["http:", "https:", "ws:", "wss:"].includes(url.protocol)) return false;
      return reaches(targetOf(url));
    },
  };
}

/**
 * The list for a page whose address alone is known: its host and port. A host at the usual ports is one site at both of them, as
 * most lead from http to https.
 */
export function hostsOf({ hostname, host, port }: URL): readonly string[] {
  return port === "" ? [`${hostname}:443`, `${hostname}:80`] : [host];
}

/** Returns the error of a navigation to a host that is not allowed. */
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
  readonly port: number | undefined;
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
  return {
    text,
    name: name ?? "",
    subdomains: star !== undefined,
    port: port === undefined ? undefined : Number(port),
  };
}

function matches(rule: Rule, { hostname, port }: Target): boolean {
  if (rule.port !== undefined && rule.port !== port) return false;
  return rule.subdomains ? hostname.endsWith(`.${rule.name}`) : hostname === rule.name;
}
