const SHAKY = "shaky: another run may move it";

const named = (name, text, title = "") => {
  const node = document.createElement(name);
  node.textContent = text;
  if (title) node.title = title;
  return node;
};

const prose = (text) =>
  text.split(/(`[^`]*`|~)/).map((part) => {
    if (part === "~") return named("abbr", part, SHAKY);
    return part.startsWith("`") ? named("code", part.slice(1, -1)) : part;
  });
