/** Text without control characters other than line breaks and tabs, so that a cell in it cannot move the cursor. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}
