const most = 5;

/** Passes on the first few warnings, and says when it stops: every row of a long run may have the same one. */
export function firstWarnings(warn: (message: string, hint: string) => void): (message: string, hint: string) => void {
  let told = 0;
  return (message, hint) => {
    told += 1;
    if (told <= most) warn(message, hint);
    else if (told === most + 1) warn("More warnings of this kind follow; they are not shown", hint);
  };
}
