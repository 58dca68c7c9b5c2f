/** Where a channel tries to get to: a host of its own name, so that whatever arrives says which channel it came by. */
export interface Goal {
  /** `img.localhost` */
  readonly hostname: string;
  /** `img.localhost:8081` */
  readonly host: string;
  /** `http://img.localhost:8081/img` */
  readonly url: string;
  /** The same with an ending, which says what the answer is: `at("css")`. */
  at(ending: string): string;
  /** An address of the page's own origin that redirects there. */
  redirect(status: number, ending?: string): string;
  /** `host:port` of a TCP server of the channel's own, for what sends no name. */
  readonly bare: string;
  /** Port of a UDP socket of the channel's own on 127.0.0.1. */
  readonly udp: number;
}

/** A way in which a page can reach a host. */
export interface Channel {
  readonly id: string;
  /**
   * Who is reached when nothing stops it: `all`; `direct`, where the allowed host need not be reached too, as it takes a connection past
   * any proxy, or is done once a page; `none`, when the build of Chromium at hand does not do it, which others may.
   */
  readonly reach: "all" | "direct" | "none";
  /** Whether it is tried in a tab of its own: some are for such alone. @default in a frame of the page */
  readonly inTab?: boolean;
  /** The document that tries it. */
  markup(goal: Goal): string;
  /** Headers of that document. */
  headers?(goal: Goal): Readonly<Record<string, string>>;
}

type Reach = Channel["reach"];

/** A channel that is markup. */
export function html(id: string, markup: (goal: Goal) => string, reach: Reach = "all"): Channel {
  return { id, reach, markup };
}

/** A channel that is a script. It tells the page's server when it has done what it can; what it throws is of no interest. */
export function script(id: string, code: (goal: Goal) => string, reach: Reach = "all"): Channel {
  const told = `fetch(location.href.replace("/frame/", "/tried/"))`;
  return { id, reach, markup: (goal) => inScript(`try { ${code(goal)} } finally { ${told}; }`) };
}

/** A script that runs in a document. */
export function inScript(code: string): string {
  return `<body><script>(async () => { ${code} })().catch(() => {});</script>`;
}

/** A script that is handed to a worker, of the page's own origin. */
export function workerUrl(code: string): string {
  return JSON.stringify(`/worker.js?code=${encodeURIComponent(code)}`);
}
