// Appended to a copy of the report by tests/cli/page.sh: what a reader does, and what is seen. The
// answers go to the page that frames this one, a line each: WIDTH px, NAME: what is wrong, or nothing.
window.addEventListener('load', function () {
  'use strict';
  var answers = [];
  function say(name, wrong) { answers.push(name + ': ' + wrong.slice(0, 3).join('; ')); }
  function name(e) {
    return e.tagName.toLowerCase() + ' "' + e.textContent.trim().slice(0, 40) + '"';
  }
  function value(cell) {
    return cell.hasAttribute('data-v') ? cell.getAttribute('data-v') : cell.textContent.trim();
  }
  var main = document.querySelector('main'), tables = Array.from(main.querySelectorAll('table'));

  // What can be scrolled may be wide; nothing else leaves the screen.
  function scrolls(e) {
    for (; e && e !== document.documentElement; e = e.parentElement)
      if (/auto|scroll/.test(getComputedStyle(e).overflowX)) return true;
    return false;
  }
  var wide = [], width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width)
    wide.push('page of ' + document.documentElement.scrollWidth + ' px');
  Array.from(document.body.querySelectorAll('*')).forEach(function (e) {
    if (e.closest('svg') || !e.getClientRects().length) return;
    var box = e.getBoundingClientRect();
    if ((box.right > width + 1 || box.left < -1) && !scrolls(e)) wide.push(name(e));
    if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth && e.children.length === 0 && !scrolls(e) &&
        getComputedStyle(e).overflowX !== 'visible') wide.push('cut: ' + name(e));
  });
  say('overflow', wide);

  // Labels lie within their figure.
  var clipped = [];
  Array.from(document.querySelectorAll('svg')).forEach(function (svg) {
    var all = svg.getBoundingClientRect();
    Array.from(svg.querySelectorAll('text')).forEach(function (text) {
      var box = text.getBoundingClientRect();
      if (!box.width) return;
      if (box.left < all.left - 1 || box.right > all.right + 1 || box.top < all.top - 2 ||
          box.bottom > all.bottom + 2)
        clipped.push((svg.closest('figure') || {}).id + ' ' + name(text));
    });
  });
  say('clipped labels', clipped);

  // A click sorts up, the next one down, by data-v where there is one; what is empty stands last.
  var unsorted = [];
  tables.forEach(function (table, t) {
    Array.from(table.tHead.rows[0].cells).forEach(function (header, column) {
      var isNumber = header.classList.contains('n');
      [1, -1].forEach(function (sign) {
        header.querySelector('button').click();
        var seen = Array.from(table.tBodies[0].rows).map(function (r) {
          return r.cells[column] ? value(r.cells[column]) : '';
        });
        for (var i = 1; i < seen.length; i++) {
          var a = seen[i - 1], b = seen[i];
          var wrong = a === '' || b === '' ? a === '' && b !== '' :
            isNumber ? sign * (a - b) > 0 : sign * a.localeCompare(b, undefined, {numeric: true}) > 0;
          if (wrong) { unsorted.push('table ' + t + ' ' + header.textContent + ': ' + a + ', ' + b); break; }
        }
      });
    });
  });
  say('sorting', unsorted);

  // What is typed is in each row that stays, and in none that went.
  var unfiltered = [], n_tools = 0;
  tables.forEach(function (table, t) {
    var box = table.closest('.scroll'), bar = box && box.previousElementSibling;
    if (!bar || !bar.classList.contains('tools')) return;
    n_tools++;
    var input = bar.querySelector('input[type=search]'), rows = Array.from(table.tBodies[0].rows);
    var words = rows[Math.floor(rows.length / 2)].cells[0].textContent.trim();
    function type(text) {
      input.value = text;
      input.dispatchEvent(new Event('input', {bubbles: true}));
      return rows.filter(function (r) { return !r.hidden; });
    }
    var shown = type(words), fits = rows.filter(function (r) {
      return r.textContent.toLowerCase().indexOf(words.toLowerCase()) >= 0;
    });
    if (shown.length !== fits.length || !shown.length) unfiltered.push('table ' + t + ' ' + words);
    if (bar.querySelector('output').textContent !== shown.length + ' of ' + rows.length + ' rows')
      unfiltered.push('table ' + t + ' counts ' + bar.querySelector('output').textContent);
    if (type('no row has this').length) unfiltered.push('table ' + t + ' keeps rows');
    if (type('').length !== rows.length) unfiltered.push('table ' + t + ' does not come back');
    Array.from(bar.querySelectorAll('select')).forEach(function (list) {
      if (list.options.length < 2) return;
      list.value = list.options[1].value;
      list.dispatchEvent(new Event('input', {bubbles: true}));
      var some = rows.filter(function (r) { return !r.hidden; });
      if (!some.length || some.some(function (r) { return value(r.cells[list.column]) !== list.value; }))
        unfiltered.push('table ' + t + ' by ' + list.value);
      list.value = '';
      list.dispatchEvent(new Event('input', {bubbles: true}));
    });
  });
  if (!n_tools) unfiltered.push('no table has a filter');
  say('filtering', unfiltered);

  // The first image with values tells one of them under the pointer.
  var silent = [];
  JSON.parse(document.getElementById('hover').textContent).slice(0, 3).forEach(function (map) {
    var image = document.getElementById(map.figure).querySelectorAll('svg image')[map.image];
    if (!image) { silent.push(map.figure + ' has no image'); return; }
    var box = image.getBoundingClientRect(), told = false;
    for (var i = 0; i < 20 && !told; i++) {
      image.dispatchEvent(new MouseEvent('mousemove', {bubbles: true,
        clientX: box.left + box.width * (i + 0.5) / 20, clientY: box.top + box.height * 0.3}));
      var tip = document.getElementById('tip');
      told = tip.style.display !== 'none' && tip.textContent.length > 3;
    }
    if (!told) silent.push(map.figure);
  });
  say('hovering', silent);

  say('requests', performance.getEntriesByType('resource').map(function (r) { return r.name; })
    .filter(function (url) { return !/^data:/.test(url); }));
  say('strangers', document.querySelectorAll('main script, [onerror], main iframe').length || window.stranger
    ? ['something of the data became part of the page'] : []);
  parent.postMessage(answers.map(function (a) { return width + ' px, ' + a; }), '*');
});
