// Signs in with a browser's Nostr extension (NIP-07, NIP-98). Everything else
// works without a script.
"use strict";
(() => {
  const button = document.getElementById("key-login");
  if (!button) return;
  const problem = document.getElementById("key-problem");
  const say = (text) => { problem.textContent = text; problem.hidden = false; };
  const ready = () => { if (window.nostr) button.hidden = false; };
  ready();
  window.addEventListener("load", ready); // extensions may come late
  button.addEventListener("click", async () => {
    button.disabled = true;
    problem.hidden = true;
    try {
      const url = location.origin + "/login/key";
      const event = await window.nostr.signEvent({
        kind: 27235, created_at: Math.floor(Date.now() / 1000), content: "", tags: [["u", url], ["method", "POST"]],
      });
      const token = btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(event))));
      const answer = await fetch(url, { method: "POST", headers: { Authorization: "Nostr " + token } });
      if (answer.ok) location.assign("/week");
      else say(await answer.text());
    } catch {
      say("The extension did not sign.");
    } finally {
      button.disabled = false;
    }
  });
})();
