const messages = {
  1: "We could not match this address. Please amend it and try again.",
  2: "Too many addresses match what was entered. Please amend it and try again.",
  3: "The address was matched, but its ADSL availability cannot be determined. Please try the telephone number or the postcode alone.",
  5: "Please enter a building number or a building name.",
  6: "Please enter more of the address.",
  7: "What was entered does not match a specific address. Please amend it and try again.",
  8: "What was entered does not match any recognised address. Please amend it and try again.",
  9: "The checker is unavailable at the moment. Please try again later.",
  12: "We hold incomplete information about this address. Please try again in a few days.",
  13: "This address has no Gold NAD key.",
  14: "We hold no data for this UPRN.",
  15: "A UPRN has exactly 12 digits.",
};

/** The sentence for one of the checker's numbered errors. */
export function messageFor(errorId) {
  return messages[errorId === 99 || errorId === null ? 9 : errorId] ?? messages[7];
}
