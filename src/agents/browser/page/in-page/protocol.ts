import type { Column, TableShape } from "../../template/table-shape.ts";

/** Ways to compare a text with what an element shows. */
export type TextMatch =
  /** The whole text, without regard to case, spaces, and a `*` or `:` at its end. */
  | "whole"
  /** Any part of the text, without regard to case. */
  | "contains"
  /** The whole text, letter by letter. */
  | "exact"
  /** A regular expression, without regard to case. */
  | "regex";

/** A way to find elements, in the words of the page script. */
export interface PageLocator {
  readonly by: "role" | "label" | "placeholder" | "text" | "test_id" | "css";
  readonly value: string;
  /** Accessible name, for roles. */
  readonly name?: string;
  readonly match?: TextMatch;
  readonly within?: PageTarget;
  /** 1-based: which of several. */
  readonly nth?: number;
  /** Hidden elements count too. */
  readonly hidden?: boolean;
}

/** Locators, of which the first that finds something counts. */
export type PageTarget = readonly PageLocator[];

/** A condition that only the page can answer; `known` carries what was already decided. */
export type PageCondition =
  | { readonly kind: "visible" | "hidden" | "enabled"; readonly target: PageTarget }
  | { readonly kind: "url" | "title"; readonly pattern: string }
  | { readonly kind: "all" | "any"; readonly of: readonly PageCondition[] }
  | { readonly kind: "not"; readonly of: PageCondition }
  | { readonly kind: "known"; readonly holds: boolean };

/** The place of a field's text. */
export type PageSource =
  | { readonly kind: "element" | "elements"; readonly target: PageTarget; readonly attribute?: string }
  | { readonly kind: "cell"; readonly table: string; readonly row: string; readonly column: Column }
  | { readonly kind: "rows"; readonly tables: readonly PageRows[] }
  | { readonly kind: "page" | "url" | "title" };

/** Rows of one table to read as records. */
export interface PageRows {
  readonly table: string;
  readonly columns: Readonly<Record<string, Column>>;
}

/** A row that was read. */
export interface PageRecord {
  readonly table: string;
  readonly row: string;
  readonly cells: Readonly<Record<string, string>>;
}

/** The page's answer for one field. */
export type PageValue =
  | { readonly found: "text"; readonly text: string }
  | { readonly found: "texts"; readonly texts: readonly string[] }
  | { readonly found: "rows"; readonly rows: readonly PageRecord[] }
  | { readonly found: "nothing"; readonly why: string }
  /** More characters than `maxLength`; the texts stay where they are. */
  | { readonly found: "too much"; readonly length: number };

/** A task that the page script does once it can. */
export type PageTask =
  | { readonly kind: "conditions"; readonly named: readonly (readonly [name: string, condition: PageCondition])[] }
  | { readonly kind: "point"; readonly target: PageTarget; readonly dismiss: readonly PageTarget[] }
  | {
      readonly kind: "check";
      readonly target: PageTarget;
      readonly checked: boolean;
      readonly dismiss: readonly PageTarget[];
    }
  /** `isSecret`: no picture shows the value. */
  | { readonly kind: "fill"; readonly target: PageTarget; readonly value: string; readonly isSecret: boolean }
  | { readonly kind: "select"; readonly target: PageTarget; readonly option: string; readonly by: "label" | "value" }
  /** Without a target: a key goes to what has the focus. */
  | { readonly kind: "focus"; readonly target?: PageTarget }
  /** Waits for what an action has set off; `all`: an answer from the server has come meanwhile. */
  | { readonly kind: "settle"; readonly all: boolean }
  | { readonly kind: "options"; readonly target: PageTarget }
  | { readonly kind: "pick"; readonly target: PageTarget; readonly index: number; readonly text: string }
  | {
      readonly kind: "extract";
      readonly fields: readonly { readonly name: string; readonly source: PageSource; readonly required: boolean }[];
      readonly tables: Readonly<Record<string, TableShape>>;
      readonly unknownTables: "fail" | "ignore";
      /** Characters that the texts of one field may have together. */
      readonly maxLength: number;
    };

/** A task for the page. */
export interface PageCommand {
  readonly task: PageTask;
  /** Longest wait until the task can be done. */
  readonly timeoutMs: number;
  /** Longest wait until the page can be asked: until its document is read and what was done before is settled. */
  readonly limitMs: number;
  /** The document goes to another one as soon as it is loaded. */
  readonly leavesAtLoad: boolean;
}

/** The visible page, for messages. */
export interface PageShown {
  readonly url: string;
  readonly title: string;
  /** Texts that the page marks as alerts or errors. */
  readonly alerts: readonly string[];
  /** The beginning of all visible text. */
  readonly text: string;
}

/**
 * The reason that a task was not done. `unlike`: the page is another than expected; `unable`: it is there, but cannot be used; `unread`: the
 * document did not come to its end.
 */
export interface PageRefusal {
  readonly status: "refused";
  readonly kind: "missing" | "unlike" | "unable" | "unread";
  readonly why: string;
  readonly shown: PageShown;
}

/** The page script's answer. */
export type PageAnswer = { readonly status: "done"; readonly value: PageResult } | PageRefusal;

/** The result of a finished task. */
export interface PageResult {
  /** `conditions`: the one that holds; undefined when time was up. */
  readonly holds?: string;
  /** `point`, `check`, `pick`: where to click, in CSS pixels. */
  readonly point?: { readonly x: number; readonly y: number };
  /** `point`, `check`: the point belongs to something in the way, which goes first. */
  readonly inTheWay?: boolean;
  /** `fill`: the field is one for passwords. */
  readonly isPassword?: boolean;
  /** `options`: texts; an empty text is not to be chosen. */
  readonly options?: readonly string[];
  /** `extract`: by field. */
  readonly fields?: Readonly<Record<string, PageValue>>;
  readonly shown?: PageShown;
}

/** A reason that something cannot be done yet; the one that holds when time is up becomes the refusal. */
export interface NotYet {
  readonly wait: string;
  /** @default "missing" */
  readonly kind?: PageRefusal["kind"];
}

/** The outcome of one try. */
export type PageTurn = PageResult | NotYet;
