/** What the `RUN` of a command may be, for its help. */
export const runArgument = ["<run>", "id of a run, the beginning of an id, a name, or: last"] as const;
