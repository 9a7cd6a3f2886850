'use strict';
// Draws the report from the JSON in this file. Text reaches the page through textContent alone, so
// that no value can be taken for markup.
(() => {
  const run = JSON.parse(document.getElementById('data').textContent);
  const report = document.getElementById('report');

  // --- Elements -------------------------------------------------------------------------------

  const fill = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    for (const child of children) node.append(child);
    return node;
  };
  const html = (name, attributes = {}, ...children) =>
    fill(document.createElement(name), attributes, children);
  const svg = (name, attributes = {}, ...children) =>
    fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
  const card = (title, note, ...children) => html('section', {class: 'card'}, html('h2', {}, title),
    ...(note ? [html('p', {class: 'note'}, note)] : []), ...children);

  // --- Figures --------------------------------------------------------------------------------

  const known = value => value !== null && value !== undefined;
  const plain = value => value.toLocaleString('en-US', {maximumFractionDigits: 0});
  const significant = value => {
    const size = Math.abs(value);
    if (value === 0) return '0';
    return size >= 100 ? plain(value) : value.toFixed(size < 10 ? 2 : 1);
  };
  const withUnit = units => value => {
    if (!known(value)) return 'n/a';
    let chosen = units[0];
    for (const unit of units) if (Math.abs(value) >= unit[0] * 0.9995) chosen = unit;
    return significant(value / chosen[0]) + ' ' + chosen[1];
  };
  const ofTime = withUnit([[1, 'ns'], [1e3, 'µs'], [1e6, 'ms'], [1e9, 's']]);
  // What did not come is 2^64 - 1 ns late, which is 2^64 here.
  const duration = value => known(value) && value >= 2 ** 64 ? 'never' : ofTime(value);
  const bytes = withUnit([[1, 'B'], [1024, 'KiB'], [1024 ** 2, 'MiB'], [1024 ** 3, 'GiB']]);
  const seconds = value => duration(known(value) ? value * 1e9 : null);
  const count = value => known(value) ? plain(value) : 'n/a';
  const perSecond = value => known(value) ? significant(value) + '/s' : 'n/a';
  // A single loss in a million must not read as none.
  const share = value => !known(value) ? 'n/a'
    : (value !== 0 && Math.abs(value) < 5e-5 ? (value * 100).toFixed(6) : significant(value * 100)) +
      ' %';
  const percentileName = q => 'p' + String(+(q * 100).toFixed(5));

  // --- Charts ---------------------------------------------------------------------------------

  const LEFT = 72, RIGHT = 34, TOP = 12, BOTTOM = 42, LABEL_WIDTH = 50;

  // Round values from 0 (linear) or powers of ten (logarithmic) that cover the data.
  function ticksFor(lowest, highest, logarithmic) {
    if (logarithmic) {
      const ticks = [];
      for (let e = Math.floor(Math.log10(lowest)); e <= Math.ceil(Math.log10(highest)); e++) {
        ticks.push(10 ** e);
      }
      return ticks;
    }
    const rough = (highest || 1) / 4, size = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].find(factor => factor * size >= rough) * size;
    const ticks = [];
    for (let i = 0; i * step < highest + step; i++) ticks.push(i * step);
    return ticks;
  }

  function pathOf(points, x, y) {
    let path = '', down = false;
    for (const [at, value] of points) {
      if (!known(value)) { down = false; continue; }
      path += (down ? 'L' : 'M') + x(at).toFixed(1) + ' ' + y(value).toFixed(1);
      down = true;
    }
    return path;
  }

  // A round value needs no decimals.
  const tickLabel = (format, value) => format(value).replace(/\.0+(?=\D|$)/, '');

  // series: [{name, color, points: [[x, y or null], …]}].
  // xTicks: [[x, label], …], the first and last of which are the axis' ends.
  // Drawn again whenever its width changes, so that letters keep their size.
  function chart(options) {
    const {series, logarithmic} = options;
    const values = series.flatMap(one => one.points.map(point => point[1]))
      .filter(value => known(value) && (!logarithmic || value > 0));
    if (values.length === 0) return html('p', {class: 'quiet'}, 'Too few samples to draw.');
    const ticks = ticksFor(Math.min(...values), Math.max(...values), logarithmic);
    const legend = html('div', {class: 'legend'}, ...series.map(one =>
      html('span', {}, html('i', {style: `border-color: ${one.color}`}), one.name)));
    const frame = html('div', {class: 'chart', style: `height: ${options.height}px`});
    new ResizeObserver(entries => {
      const width = Math.round(entries[0].contentRect.width);
      if (width > 0) requestAnimationFrame(() => drawChart(frame, options, ticks, width));
    }).observe(frame);
    return html('div', {}, legend, frame);
  }

  function drawChart(frame, options, ticks, width) {
    const {series, xTicks, xName, format, height, logarithmic} = options;
    const from = xTicks[0][0], to = xTicks[xTicks.length - 1][0];
    const right = width - RIGHT, bottom = height - BOTTOM;
    const scaled = logarithmic ? value => Math.log10(Math.max(value, ticks[0])) : value => value;
    const low = scaled(ticks[0]), high = scaled(ticks[ticks.length - 1]);
    const x = at => LEFT + (at - from) / (to - from || 1) * (right - LEFT);
    const y = value => bottom - (scaled(value) - low) / (high - low || 1) * (bottom - TOP);

    const picture = svg('svg', {viewBox: `0 0 ${width} ${height}`, role: 'img'});
    for (const tick of ticks) {
      picture.append(svg('line', {class: 'grid', x1: LEFT, x2: right, y1: y(tick), y2: y(tick)}),
        svg('text', {x: LEFT - 10, y: y(tick) + 4, 'text-anchor': 'end'}, tickLabel(format, tick)));
    }
    picture.append(svg('line', {class: 'axis', x1: LEFT, x2: right, y1: bottom, y2: bottom}));
    let labelled = -Infinity;
    xTicks.forEach(([at, label], i) => {
      picture.append(svg('line', {class: 'axis', x1: x(at), x2: x(at), y1: bottom, y2: bottom + 5}));
      // The last one is always named; others where there is room.
      const isLast = i === xTicks.length - 1;
      if (x(at) - labelled < LABEL_WIDTH || (!isLast && x(to) - x(at) < LABEL_WIDTH)) return;
      labelled = x(at);
      picture.append(svg('text', {x: x(at), y: bottom + 19, 'text-anchor': 'middle'}, label));
    });
    picture.append(svg('text', {x: (LEFT + right) / 2, y: height - 4, 'text-anchor': 'middle'}, xName));
    for (const one of series) {
      picture.append(svg('path', {class: 'curve', stroke: one.color, d: pathOf(one.points, x, y)}));
      // A single point makes no line.
      const drawn = one.points.filter(point => known(point[1]));
      if (drawn.length === 1) {
        picture.append(svg('circle', {cx: x(drawn[0][0]), cy: y(drawn[0][1]), r: 4, fill: one.color}));
      }
    }
    frame.replaceChildren(picture);
    addTip(frame, picture, options, x, bottom);
  }

  // What the curves say under the pointer.
  function addTip(frame, picture, {series, xLabel, format}, x, bottom) {
    const tip = html('div', {class: 'tip'});
    const cursor = svg('line', {class: 'cursor', y1: TOP, y2: bottom, visibility: 'hidden'});
    picture.append(cursor);
    frame.append(tip);
    const all = [...new Set(series.flatMap(one => one.points.map(point => point[0])))];
    picture.addEventListener('pointermove', event => {
      const box = picture.getBoundingClientRect();
      const pointer = event.clientX - box.left;
      const at = all.reduce((best, one) =>
        Math.abs(x(one) - pointer) < Math.abs(x(best) - pointer) ? one : best);
      cursor.setAttribute('x1', x(at));
      cursor.setAttribute('x2', x(at));
      cursor.setAttribute('visibility', 'visible');
      tip.replaceChildren(html('strong', {}, xLabel(at)));
      for (const one of series) {
        const point = one.points.find(candidate => candidate[0] === at);
        if (point && known(point[1])) tip.append(html('div', {}, `${one.name}: ${format(point[1])}`));
      }
      const side = x(at) > box.width / 2 ? '- 100% - 12px' : '+ 12px';
      tip.style.transform = `translate(calc(${x(at)}px ${side}), ${TOP}px)`;
      tip.style.visibility = 'visible';
    });
    picture.addEventListener('pointerleave', () => {
      tip.style.visibility = 'hidden';
      cursor.setAttribute('visibility', 'hidden');
    });
  }

  // --- Sections -------------------------------------------------------------------------------

  const {settings, machine, totals, repairs, rates, joins, phases, server, own} = run;
  const open = settings.loop === 'open';
  const plural = (n, noun) => `${plain(n)} ${noun}${n === 1 ? '' : 's'}`;

  function head() {
    const loop = open
      ? `open loop, ${perSecond(settings.rate_per_s)} messages, ${settings.arrival} arrivals`
      : `closed loop, window of ${count(settings.window)} per room`;
    const target = settings.target + (settings.tls ? ' over TLS' : '');
    document.title = `chatbench: ${target}, ${loop}`;
    const workload = `${plural(settings.rooms, 'room')} × ${plural(settings.members_per_room, 'member')}` +
      `, ${plural(settings.senders_per_room, 'sender')} each, ${settings.size_bytes}-byte payloads, ` +
      `UDP_GRO ${settings.gro ? 'on' : 'off'}, UDP_SEGMENT ${settings.gso ? 'on' : 'off'}`;
    return [html('h1', {}, `${target}: ${loop}`), html('p', {class: 'quiet'}, workload),
      html('p', {class: 'quiet'}, `${run.started_at} · measured for ${seconds(phases.measure_s)} · ` +
        `chatbench ${run.tool_version}`)];
  }

  function verdicts() {
    const banners = [];
    if (run.invalid_because.length > 0) {
      banners.push(html('section', {class: 'card banner bad'},
        html('h2', {}, 'INVALID: these figures are not what the server can do'),
        html('ul', {}, ...run.invalid_because.map(reason => html('li', {}, reason)))));
    }
    if (run.slo) {
      const met = run.slo.checks.every(check => check.is_met);
      banners.push(html('section', {class: `card banner ${met ? 'good' : 'bad'}`},
        html('h2', {}, met ? 'Objectives met' : 'Objectives missed'),
        html('ul', {}, ...run.slo.checks.map(check =>
          html('li', check.is_met ? {} : {class: 'missed'}, `${check.condition}: ${check.actual}`)))));
    }
    return banners;
  }

  function tiles() {
    const tile = (name, figure) => html('div', {class: 'tile'}, html('div', {class: 'name'}, name),
      html('div', {class: 'figure'}, figure));
    return html('div', {class: 'tiles'},
      tile('Median response time', duration(run.response_time.p50_ns)),
      tile('99th percentile', duration(run.response_time.p99_ns)),
      tile('Deliveries', perSecond(rates.delivered_per_s)),
      tile('Lost', count(totals.lost)),
      tile('Server CPU per delivery', duration(server ? server.cpu_ns_per_delivery : null)));
  }

  // The axis is that of 1 / (1 - q): each decade shows ten times rarer events.
  function percentileCurve() {
    const decades = q => -Math.log10(1 - q);
    const line = (name, color, latency) => ({name, color,
      points: latency.curve_q.map((q, i) => [decades(q), latency.curve_ns[i]])});
    const series = [line('response time', 'var(--first)', run.response_time)];
    if (open && run.send_lag.count > 0) {
      series.push(line('send lag', 'var(--second)', run.send_lag));
    }
    const last = Math.max(1, Math.ceil(Math.max(...series.flatMap(one => one.points.map(p => p[0])), 0)));
    const xTicks = [[0, '0 %'], [decades(0.5), '50 %']];
    for (let d = 1; d <= last; d++) {
      xTicks.push([d, (100 - 100 / 10 ** d).toFixed(Math.max(0, d - 2)) + ' %']);
    }
    const values = series.flatMap(one => one.points.map(point => point[1])).filter(value => value > 0);
    const logarithmic = Math.max(...values) > 20 * Math.min(...values);
    return card('Latency by percentile', (open
      ? 'Response time counts from the moment a message was due; send lag is chatbench’s own part of it.'
      : 'A closed loop drives the server as fast as it goes; this is not the latency of one that others load.') +
      (logarithmic ? ' The vertical axis is logarithmic.' : ''),
      chart({series, xTicks, xName: 'percentile', height: 340, logarithmic, format: duration,
        xLabel: at => percentileName(1 - 10 ** -at)}));
  }

  function overTime() {
    const end = Math.max(phases.measure_s, ...run.seconds.map(second => second.at_s));
    const step = [1, 2, 5, 10, 30, 60, 300, 600, 3600].find(size => end / size <= 12) || end;
    const xTicks = [];
    for (let at = 0; at < end - step / 3; at += step) xTicks.push([at, `${at} s`]);
    xTicks.push([end, `${+end.toFixed(1)} s`]);
    const line = (name, color, value) => ({name, color,
      points: run.seconds.map((second, i) => [second.at_s, value(second, run.seconds[i - 1])])});
    // The last second may be a part of one.
    const rate = key => (second, previous) =>
      second[key] / Math.max(second.at_s - (previous ? previous.at_s : 0), 1e-3);
    const common = {xTicks, xName: 'time', height: 240, xLabel: at => `at ${+at.toFixed(2)} s`};
    return html('div', {class: 'pair'},
      card('Throughput', 'Deliveries and messages sent in each second.', chart({...common,
        series: [line('delivered', 'var(--first)', rate('delivered')),
          line('sent', 'var(--second)', rate('sent'))], format: perSecond, logarithmic: false})),
      card('Latency over time', 'Response time in each second.', chart({...common,
        series: [line('max', 'var(--third)', second => second.max_ns),
          line('p99', 'var(--second)', second => second.p99_ns),
          line('p50', 'var(--first)', second => second.p50_ns)], format: duration, logarithmic: true})));
  }

  function rows(...pairs) {
    return html('table', {}, html('tbody', {}, ...pairs.map(([name, figure, kind]) =>
      html('tr', kind ? {class: kind} : {}, html('th', {scope: 'row'}, name), html('td', {}, figure)))));
  }

  function ledger() {
    const lost = totals.expected_deliveries > 0 ? totals.lost / totals.expected_deliveries : null;
    const by = totals.lost_by;
    return card('Ledger', 'Deliveries due = delivered + lost; each lost one under who lost it.', rows(
      ['Messages sent', count(totals.sent)], ['Deliveries due', count(totals.expected_deliveries)],
      ['Delivered', count(totals.delivered)],
      ['Lost', `${count(totals.lost)} (${share(lost)})`],
      ['refused by chatbench’s own socket', count(by.chatbench_send), 'part'],
      ['at chatbench’s receive buffer', count(by.chatbench_receive), 'part'],
      ['at the server’s receive buffer', count(by.server_kernel), 'part'],
      ['dropped by the server', count(by.server), 'part'],
      ['for a reason that no counter tells', count(by.unattributed), 'part'],
      ['Duplicated', count(totals.duplicated)], ['Reordered', count(totals.reordered)],
      ['Late (while draining)', count(totals.late)],
      ['Foreign (not for that member)', count(totals.foreign)],
      ['Corrupted', count(totals.corrupted)],
      ...(repairs ? [['Said again (datagrams)', count(repairs.said_again)],
        ['Repairs asked', count(repairs.repairs_asked)],
        ['Entries that a member had already', count(repairs.entries_repeated)],
        ['Entries lost for good', count(repairs.entries_lost)]] : [])));
  }

  function percentiles() {
    const names = [['min', 'min_ns'], ['p50', 'p50_ns'], ['p75', 'p75_ns'], ['p90', 'p90_ns'],
      ['p95', 'p95_ns'], ['p99', 'p99_ns'], ['p99.9', 'p99_9_ns'], ['p99.99', 'p99_99_ns'],
      ['p99.999', 'p99_999_ns'], ['max', 'max_ns'], ['mean', 'mean_ns']];
    const columns = open ? [['response time', run.response_time], ['send lag', run.send_lag]]
      : [['response time', run.response_time]];
    const figure = (latency, key) => {
      if (latency.count === 0) return 'n/a';
      return key === 'mean_ns' && latency.never > 0 ? 'never' : duration(latency[key]);
    };
    return card('Percentiles', 'Not given where fewer than ten samples lie beyond. A delivery that ' +
      'was lost is one that never came.', html('table', {},
      html('thead', {}, html('tr', {}, html('th'), ...columns.map(column => html('th', {}, column[0])))),
      html('tbody', {}, ...names.map(([name, key]) => html('tr', {}, html('th', {scope: 'row'}, name),
        ...columns.map(column => html('td', {}, figure(column[1], key))))),
        html('tr', {}, html('th', {scope: 'row'}, 'samples'),
          ...columns.map(column => html('td', {}, count(column[1].count)))))));
  }

  function cost() {
    const pairs = [['Members joined', count(joins.count)], ['Joins failed', count(joins.failed)],
      ['Join rate', perSecond(joins.rate_per_s)],
      ['Server CPU per join', duration(joins.server_cpu_ns_per_join)]];
    if (server) {
      pairs.push(['Server CPU per delivery', duration(server.cpu_ns_per_delivery)],
        ['Server CPU', share(server.cpu_share) + ' of a core'],
        ['Memory per member', bytes(server.resident_bytes_per_member)],
        ['Memory, empty', bytes(server.resident_bytes_before)],
        ['Memory, joined', bytes(server.resident_bytes_joined)],
        ['Memory, at the end', bytes(server.resident_bytes_end)]);
    }
    pairs.push(['chatbench’s own CPU', `${share(own.cpu_share)} of a core, ${plural(own.threads, 'thread')}`]);
    return card('Joins and cost', server ? `The server is process ${server.pid}, all its threads.`
      : 'The server’s cost is measured with --server-pid.', rows(...pairs));
  }

  function conditions() {
    return card('Settings and machine', '', rows(
      ['Target', settings.target], ['TLS', settings.tls ? 'on' : 'off'], ['Loop', settings.loop],
      ...(open ? [['Rate', perSecond(settings.rate_per_s)], ['Arrivals', settings.arrival]]
        : [['Window', count(settings.window)]]),
      ['Rooms', count(settings.rooms)], ['Members per room', count(settings.members_per_room)],
      ['Senders per room', count(settings.senders_per_room)], ['Payload', `${settings.size_bytes} bytes`],
      ['Seed', String(settings.seed)], ['Connections', count(settings.connections)],
      ['Sockets', settings.sockets], ['UDP_GRO', settings.gro ? 'on' : 'off'],
      ['UDP_SEGMENT', settings.gso ? 'on' : 'off'],
      ['Phases', `connect ${seconds(phases.connect_s)}, warm-up ${seconds(phases.warm_up_s)}, ` +
        `measure ${seconds(phases.measure_s)}, drain ${seconds(phases.drain_s)}`],
      ['Kernel', machine.kernel], ['CPU', `${machine.cpu_model}, ${plural(machine.cores, 'core')}`],
      ['Memory', bytes(machine.memory_bytes)], ['Governor', machine.governor || 'n/a']));
  }

  report.replaceChildren(...head(), ...verdicts(), tiles(), percentileCurve(), overTime(),
    html('div', {class: 'pair'}, percentiles(), ledger()),
    html('div', {class: 'pair'}, cost(), conditions()));
})();
