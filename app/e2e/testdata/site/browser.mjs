// A person with a real browser: signs in by link and by key, walks through every
// page, decides, and reports what was seen as one JSON document.
import { chromium } from "playwright-core";
import { finalizeEvent } from "nostr-tools/pure";
import { readFileSync } from "node:fs";

const task = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({
  executablePath: task.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const saw = { problems: [] };
const open = async (options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.on("console", (m) => { if (m.type() === "error" && !m.text().includes("403")) saw.problems.push(m.text()); });
  page.on("pageerror", (e) => saw.problems.push(String(e)));
  return page;
};
const text = (page) => page.locator("main").innerText();

try {
  // Without a login there is nothing to see.
  const stranger = await open();
  await stranger.goto(task.site + "/week");
  saw.stranger = new URL(stranger.url()).pathname;

  // The link works once.
  const page = await open();
  await page.goto(task.link);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL("**/week");
  saw.week = await text(page);
  await page.screenshot({ path: task.pictures + "/site-week.png" });
  await stranger.goto(task.link);
  await stranger.getByRole("button", { name: "Sign in" }).click();
  saw.secondUse = await text(stranger);

  // From the week to a picture.
  await page.locator("tbody td.n a").first().click();
  saw.day = await text(page);
  saw.bars = await page.locator("svg rect.proven, svg rect.held").count();
  await page.screenshot({ path: task.pictures + "/site-day.png" });
  await page.locator("table td a[href^='/proof']").first().click();
  await page.waitForLoadState("networkidle");
  saw.proof = await text(page);
  saw.picture = await page.locator("figure img").first().evaluate((i) => i.naturalWidth);
  await page.screenshot({ path: task.pictures + "/site-proof.png", fullPage: true });

  // Decisions, in light of what waits.
  await page.getByRole("link", { name: "Waiting for you" }).click();
  saw.waiting = await text(page);
  await page.screenshot({ path: task.pictures + "/site-waiting.png" });
  await page.getByLabel("Reason for the member").first().fill(task.reason);
  await page.getByRole("button", { name: "Refuse" }).first().click();
  await page.waitForURL("**/waiting");
  saw.afterRefusing = await text(page);
  await page.getByRole("link", { name: "Quarantine" }).click();
  saw.quarantine = await text(page);

  // Reports.
  await page.goto(task.site + "/week");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "CSV" }).click()]);
  saw.csv = readFileSync(await download.path(), "utf8");

  // A forged form from another page of the same browser is refused.
  saw.forged = await page.evaluate(async () => (await fetch("/approve", { method: "POST", body: new URLSearchParams({ session: "x", form: "guess" }) })).status);

  await page.getByRole("link", { name: "Who looked" }).click();
  saw.log = await text(page);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.goto(task.site + "/week");
  saw.signedOut = new URL(page.url()).pathname;

  // With a Nostr key; once from nobody's key. In the dark, small.
  for (const [name, secret] of [["nobody", task.foreign], ["key", task.secret]]) {
    const p = await open({ colorScheme: "dark", viewport: { width: 480, height: 800 } });
    await p.exposeFunction("sign", (e) => finalizeEvent(e, Uint8Array.from(Buffer.from(secret, "hex"))));
    await p.addInitScript(() => { window.nostr = { signEvent: (e) => window.sign(e) }; });
    await p.goto(task.site + "/login");
    await p.getByRole("button", { name: "Sign in with Nostr" }).click();
    if (name === "nobody") {
      await p.locator("#key-problem").waitFor({ state: "visible" });
      saw.nobody = await p.locator("#key-problem").innerText();
    } else {
      await p.waitForURL("**/week");
      saw.key = await text(p);
      await p.screenshot({ path: task.pictures + "/site-week-dark-small.png" });
    }
  }
  console.log(JSON.stringify(saw));
} finally {
  await browser.close();
}
