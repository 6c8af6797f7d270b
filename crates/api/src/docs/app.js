// Draws /api/openapi.json. Text is always set as text, never as markup.
'use strict';

const el = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};

let spec;

const resolve = (schema) => {
  let seen = 0;
  while (schema && schema.$ref && seen++ < 20) {
    schema = schema.$ref.split('/').slice(1).reduce((node, key) => node?.[key.replaceAll('~1', '/')], spec);
  }
  return schema ?? {};
};

const typeName = (schema) => {
  if (!schema) return '';
  if (schema.$ref) return schema.$ref.split('/').pop();
  const kinds = schema.oneOf ?? schema.anyOf;
  if (kinds) return kinds.map(typeName).join(' | ');
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const type = [schema.type ?? 'any'].flat().join(' | ');
  return type === 'array' ? `${typeName(schema.items)}[]` : type;
};

const example = (schema, depth = 0) => {
  if (schema?.example !== undefined) return schema.example;
  const s = resolve(schema);
  if (s.example !== undefined) return s.example;
  if (s.default !== undefined) return s.default;
  if (s.enum) return s.enum[0];
  const kinds = (s.oneOf ?? s.anyOf ?? s.allOf)?.filter((k) => k.type !== 'null');
  if (kinds?.length) return example(kinds[0], depth);
  const type = [s.type].flat().find((t) => t !== 'null');
  if (type === 'object') {
    if (depth > 4) return {};
    return Object.fromEntries(Object.entries(s.properties ?? {}).map(([k, v]) => [k, example(v, depth + 1)]));
  }
  if (type === 'array') return depth > 4 ? [] : [example(s.items, depth + 1)];
  return { string: '', integer: 0, number: 0, boolean: false }[type] ?? null;
};

const fields = (schema) => {
  const s = resolve(schema);
  const parts = [s, ...(s.allOf ?? []).map(resolve)];
  const rows = parts.flatMap((part) =>
    Object.entries(part.properties ?? {}).map(([name, value]) =>
      el('tr', {}, el('td', {}, el('code', {}, name), (part.required ?? []).includes(name) ? ' *' : ''),
        el('td', {}, typeName(value)), el('td', {}, value.description ?? resolve(value).description ?? '')),
    ),
  );
  return rows.length ? el('table', {}, ...rows) : el('p', {}, typeName(schema));
};

const tryOut = (path, method, operation, parameters) => {
  const form = el('form');
  const inputs = parameters.map((parameter) => {
    const input = el('input', { placeholder: `${parameter.name} (${parameter.in})`, 'aria-label': parameter.name });
    form.append(el('p', {}, input));
    return [parameter, input];
  });
  const json = operation.requestBody?.content?.['application/json'];
  const text = json ? el('textarea', { 'aria-label': 'body', spellcheck: 'false' }) : null;
  if (text) {
    text.value = JSON.stringify(example(json.schema), null, 2);
    form.append(el('p', {}, text));
  }
  const result = el('pre', { hidden: '' });
  form.append(el('button', {}, 'Send'), result);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    let target = path;
    const query = new URLSearchParams();
    for (const [parameter, input] of inputs) {
      if (parameter.in === 'path') target = target.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value !== '') query.set(parameter.name, input.value);
    }
    if ([...query].length) target += `?${query}`;
    const headers = { 'X-Requested-With': 'vigie' };
    if (text) headers['Content-Type'] = 'application/json';
    result.hidden = false;
    try {
      const answer = await fetch(target, { method: method.toUpperCase(), headers, body: text?.value });
      const type = answer.headers.get('Content-Type') ?? '';
      const body = /json|text/.test(type) && !/event-stream/.test(type) ? await answer.text() : `(${type})`;
      let shown = body;
      try { shown = JSON.stringify(JSON.parse(body), null, 2); } catch { /* not JSON: shown as it is */ }
      result.textContent = `${answer.status} ${answer.statusText}\n\n${shown}`;
    } catch (error) {
      result.textContent = String(error);
    }
  });
  return form;
};

const draw = (path, method, operation, shared) => {
  const parameters = [...shared, ...(operation.parameters ?? [])].map(resolve);
  const open = operation.security?.length === 0;
  const box = el('details', { id: operation.operationId ?? '' },
    el('summary', {}, el('b', { class: `method ${method}` }, method.toUpperCase()), el('code', {}, path),
      open ? el('i', { class: 'open' }, 'public') : null, el('span', {}, operation.summary ?? '')));
  box.addEventListener('toggle', () => {
    if (!box.open || box.children.length > 1) return;
    const body = el('div', { class: 'body' });
    if (operation.description) body.append(el('p', {}, operation.description));
    if (parameters.length) {
      body.append(el('h4', {}, 'Parameters'), el('table', {}, ...parameters.map((p) =>
        el('tr', {}, el('td', {}, el('code', {}, p.name), p.required ? ' *' : ''), el('td', {}, `${p.in}, ${typeName(p.schema)}`),
          el('td', {}, p.description ?? '')))));
    }
    const sent = operation.requestBody?.content;
    if (sent) for (const [type, media] of Object.entries(sent)) body.append(el('h4', {}, `Body (${type})`), fields(media.schema));
    body.append(el('h4', {}, 'Answers'));
    for (const [status, answer] of Object.entries(operation.responses ?? {})) {
      const a = resolve(answer);
      body.append(el('p', {}, el('b', {}, status), ' ', a.description ?? ''));
      const media = Object.values(a.content ?? {})[0];
      if (media?.schema && status < '3') body.append(fields(media.schema));
    }
    body.append(el('h4', {}, 'Try it'), tryOut(path, method, operation, parameters));
    box.append(body);
  });
  return box;
};

const start = async () => {
  const main = document.getElementById('operations');
  try {
    spec = await (await fetch('/api/openapi.json')).json();
  } catch (error) {
    main.textContent = `The description could not be loaded: ${error}`;
    return;
  }
  document.getElementById('version').textContent = spec.info.version;
  const groups = new Map();
  for (const [path, item] of Object.entries(spec.paths)) {
    for (const method of ['get', 'post', 'put', 'patch', 'delete']) {
      const operation = item[method];
      if (!operation) continue;
      const tag = operation.tags?.[0] ?? 'other';
      if (!groups.has(tag)) groups.set(tag, []);
      const words = [path, method, operation.summary, operation.description, tag].join(' ').toLowerCase();
      groups.get(tag).push([words, draw(path, method, operation, item.parameters ?? [])]);
    }
  }
  main.replaceChildren();
  const sections = [...groups].sort().map(([tag, rows]) => {
    const section = el('section', {}, el('h2', {}, tag), ...rows.map(([, box]) => box));
    main.append(section);
    return [section, rows];
  });
  document.getElementById('filter').addEventListener('input', (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const [section, rows] of sections) {
      let shown = 0;
      for (const [text, box] of rows) {
        box.hidden = !words.every((word) => text.includes(word));
        shown += box.hidden ? 0 : 1;
      }
      section.hidden = shown === 0;
    }
  });
};

start();
