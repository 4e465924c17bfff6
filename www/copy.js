// Buttons that copy the text before them: `<code>…</code><button data-copy="Archive ID">`.

const SHOW_MS = 2000;

/** Makes all such buttons work, also those that come later. `say(sentence)` tells what became of it. */
export function makeCopyButtonsWork(say) {
  addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-copy]");
    if (button) copy(button, say);
  });
}

async function copy(button, say) {
  const what = button.dataset.copy;
  const code = button.previousElementSibling;
  const copied = await navigator.clipboard?.writeText(code.textContent).then(() => true, () => false);
  if (!copied) getSelection().selectAllChildren(code); // the browser says no: one key press away instead
  button.textContent = copied ? "Copied" : "Selected";
  say(copied ? `${what} copied.` : `${what} selected, ready to copy.`);
  setTimeout(() => { button.textContent = "Copy"; }, SHOW_MS);
}
