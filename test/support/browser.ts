/** A page with a form, as a person sees it. */
export interface Page {
  readonly url: URL;
  readonly html: string;
}

/** What a person types into the form of a page, by field name. Undefined for a page that the person does not expect. */
export type Person = (page: Page) => Readonly<Record<string, string>> | undefined;

/** Most pages and redirects of one sign-in. */
const MAX_STEPS = 20;

/**
 * What a browser does between the client and its callback: follows redirects with the provider's cookies and submits the
 * forms that `person` fills in. Returns the callback address, or throws the text of a page without a way on.
 */
export async function browse(start: URL, callback: string, person: Person = () => undefined): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = start;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < MAX_STEPS; step++) {
    if (url.href.startsWith(callback)) return url;
    const response = await visit(url, cookies, form);
    form = undefined;
    const location = response.headers.get('location');
    if (location !== null) {
      url = new URL(location, url);
      continue;
    }
    const page = { url, html: await response.text() };
    const typed = person(page);
    if (!typed) throw new Error(`${response.status} at ${url.pathname}: ${shown(page.html)}`);
    url = new URL(actionOf(page), url);
    form = new URLSearchParams({ ...hiddenFieldsOf(page.html), ...typed });
  }
  throw new Error('the sign-in never came back');
}

async function visit(url: URL, cookies: Map<string, string>, form: URLSearchParams | undefined): Promise<Response> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const headers = { accept: 'text/html', ...(cookie && { cookie }) };
  const response = await fetch(url, { redirect: 'manual', headers, ...(form && { method: 'POST', body: form }) });
  for (const line of response.headers.getSetCookie()) {
    const [name = '', ...value] = line.split(';')[0]!.split('=');
    if (value.join('=') === '') cookies.delete(name);
    else cookies.set(name, value.join('='));
  }
  return response;
}

function actionOf({ url, html }: Page): string {
  const [form] = /<form[^>]*>/i.exec(html) ?? [];
  if (form === undefined) throw new Error(`no form at ${url.pathname}: ${shown(html)}`);
  return attribute(form, 'action') ?? url.href;
}

function hiddenFieldsOf(html: string): Record<string, string> {
  const inputs = [...html.matchAll(/<input[^>]*type="hidden"[^>]*>/gi)].map(([input]) => input);
  return Object.fromEntries(inputs.map((input) => [attribute(input, 'name') ?? '', attribute(input, 'value') ?? '']));
}

function attribute(tag: string, name: string): string | undefined {
  return new RegExp(`\\s${name}="([^"]*)"`, 'i').exec(tag)?.[1]?.replaceAll('&amp;', '&');
}

/** The beginning of what a page says. */
function shown(html: string): string {
  const text = html.replace(/<(script|style)[^]*?<\/\1>/gi, ' ').replace(/<[^>]+>/g, ' ');
  return text.replace(/\s+/g, ' ').trim().slice(0, 500);
}
