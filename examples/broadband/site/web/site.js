import { greetFirstVisit } from "./dom.js";

greetFirstVisit();

const signOn = document.querySelector("#sign-on");
if (signOn !== null) location.replace(signOn.dataset.returnTo);
