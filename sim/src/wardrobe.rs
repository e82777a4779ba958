//! The devices of a person over time.

use crate::atlas::CountryIx;
use crate::client::{Device, Form, Shop};
use crate::config::Regime;
use crate::releases::DAY_MS;
use crate::rng::{Rng, mix};
use crate::tenant::Tenant;
use habitus_model::{Text, math};

/// A device and its second browser, from a time on.
#[derive(Debug, Clone)]
struct Generation {
    from_ms: i64,
    device: Device,
    second: Option<Device>,
}

/// A place in the person's life for a device (the phone, the work computer), with the devices that filled it.
#[derive(Debug, Clone)]
struct Slot {
    weight: f64,
    generations: Vec<Generation>,
}

/// Everything a person logs in with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wardrobe {
    slots: Vec<Slot>,
}

/// A device in use; `id` tells the devices of one person apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InUse<'a> {
    pub id: (usize, usize, bool),
    pub device: &'a Device,
}

/// Probability that a login on a device with two browsers comes from the second (assumed).
const SECOND_BROWSER_USE: f64 = 0.2;

impl Wardrobe {
    /// Draws a person's devices for the whole period.
    pub(crate) fn draw(rng: &mut Rng, tenant: &Tenant, country: CountryIx) -> Self {
        let params = &tenant.params.devices;
        let first = if rng.chance(params.phone_first_share) {
            Form::Phone
        } else {
            Form::Computer
        };
        let mut slots = vec![Slot::draw(rng, tenant, country, (first, 1.0))];
        for _ in 0..rng.poisson(params.further_devices).min(3) {
            let (form, weight) = (further(rng, first), rng.between(0.08, 0.6));
            slots.push(Slot::draw(rng, tenant, country, (form, weight)));
        }
        if rng.chance(params.tool_share) {
            slots.push(Slot::draw(rng, tenant, country, (Form::Tool, 0.2)));
        }
        Self { slots }
    }

    /// Whether the devices in use at a time show keys: all of them, or none; `None` where some do.
    pub(crate) fn shows_keys(&self, ms: i64) -> Option<bool> {
        let used = self.slots.iter().filter_map(|slot| slot.at(ms));
        let mut keyed = used.map(|(_, generation)| generation.device.uid.is_some());
        let first = keyed.next()?;
        keyed.all(|other| other == first).then_some(first)
    }

    /// Gives each browser a key of its own, as services do that bind clients; scripts keep none.
    pub(crate) fn bind(&mut self, key: u64) {
        let generations = self.slots.iter_mut().flat_map(|slot| &mut slot.generations);
        let browsers = generations
            .flat_map(|generation| std::iter::once(&mut generation.device).chain(&mut generation.second));
        for (nth, browser) in (0..).zip(browsers.filter(|browser| browser.form != Form::Tool)) {
            browser.uid = Some(Text::new(format!("{:016x}", mix(key, 40, nth))));
        }
    }

    /// The device of a login at a time: `at_work` prefers computers, being away prefers what fits a pocket.
    pub(crate) fn choose(&self, rng: &mut Rng, ms: i64, at_work: Option<bool>) -> Option<InUse<'_>> {
        let fits = |slot: &Slot| match (at_work, slot.form(ms)) {
            (Some(true), Form::Computer) => 3.0,
            (Some(false), Form::Phone | Form::Tablet) => 2.0,
            _ => 1.0,
        };
        let slots = self.slots.iter().enumerate();
        let (ix, slot) = rng.weighted(slots, |(_, slot)| slot.weight * fits(slot))?;
        let (nth, generation) = slot.at(ms)?;
        match &generation.second {
            Some(second) if rng.chance(SECOND_BROWSER_USE) => Some(InUse {
                id: (ix, nth, true),
                device: second,
            }),
            _ => Some(InUse {
                id: (ix, nth, false),
                device: &generation.device,
            }),
        }
    }
}

impl Slot {
    fn draw(rng: &mut Rng, tenant: &Tenant, country: CountryIx, (form, weight): (Form, f64)) -> Self {
        let params = &tenant.params.devices;
        let shop = Shop {
            params,
            country,
            at_ms: tenant.start_ms,
            stuck_share: params.stuck_share,
        };
        let mut device = Device::draw(rng, form, shop);
        let mut generations = Vec::new();
        let mut from_ms = i64::MIN;
        let mut next_ms = tenant.start_ms;
        while next_ms < tenant.end_ms {
            generations.push(equip(rng, tenant, device.clone(), from_ms));
            let days = rng.exponential(365.25 / params.replaced_per_year);
            next_ms = next_ms.saturating_add(math::to_i64(days) * DAY_MS);
            from_ms = next_ms;
            let shop = Shop {
                at_ms: next_ms,
                stuck_share: 0.0,
                ..shop
            };
            device = replacement(rng, &device, shop);
        }
        Self { weight, generations }
    }

    fn at(&self, ms: i64) -> Option<(usize, &Generation)> {
        let generations = self.generations.iter().enumerate();
        generations.rev().find(|(_, generation)| generation.from_ms <= ms)
    }

    fn form(&self, ms: i64) -> Form {
        self.at(ms)
            .map_or(Form::Computer, |(_, generation)| generation.device.form)
    }
}

/// The form of a further device, given the first.
fn further(rng: &mut Rng, first: Form) -> Form {
    let other = match first {
        Form::Phone => Form::Computer,
        _ => Form::Phone,
    };
    let forms = [(other, 0.72), (first, 0.15), (Form::Tablet, 0.13)];
    rng.weighted(forms, |form| form.1).map_or(other, |form| form.0)
}

/// A device that comes after another: mostly the same system, and then mostly the same browser.
fn replacement(rng: &mut Rng, old: &Device, shop: Shop<'_>) -> Device {
    if !rng.chance(shop.params.loyalty) {
        return Device::draw(rng, old.form, shop);
    }
    let platform = old.platform.renewed(rng);
    let mut device = Device::with_platform(rng, platform, shop);
    if rng.chance(0.9) {
        device.browser = old.browser;
    }
    device
}

/// Gives a device its second browser and, in companies, its id.
fn equip(rng: &mut Rng, tenant: &Tenant, mut device: Device, from_ms: i64) -> Generation {
    let params = &tenant.params.devices;
    let managed = match device.form {
        _ if tenant.config.regime == Regime::Consumer => 0.0,
        Form::Computer => params.managed_share,
        Form::Phone | Form::Tablet => params.managed_share * 0.5,
        Form::Tool => 0.0,
    };
    let id = rng.bits();
    device.uid = rng
        .chance(managed)
        .then(|| Text::new(format!("{:08x}-{:08x}", id >> 32, id & 0xffff_ffff)));
    let two = device.form == Form::Computer && rng.chance(params.second_browser_share);
    let second = device.second_browser(rng, params);
    Generation {
        from_ms,
        second: two.then_some(second),
        device,
    }
}
