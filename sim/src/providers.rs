//! Internet providers by name and number: whom the packets come from.
//!
//! Numbers and names follow the public registries as far as they were at hand, so that tables of network classes
//! know most of them; a mobile arm that shares its number with the fixed network stands under another one. Weights
//! are rough market shares within a country (assumed where a national regulator's figure was not at hand). Each
//! country also has small local providers without a name, drawn per seed (see [`crate::network`]).

/// What a provider sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Lines to homes and offices.
    Fixed,
    /// Mobile carrier behind carrier-grade NAT.
    Mobile,
    /// Servers; also the exits of small proxies.
    Hosting,
    /// Servers that commercial VPNs rent.
    Vpn,
    /// Exits of a relay that keeps the user's country (iCloud Private Relay).
    Relay,
    /// Cloud gateways that companies send their employees' traffic through.
    Gateway,
    /// A company's own network.
    Corporate,
}

/// A provider that is known by name.
#[derive(Debug)]
pub(crate) struct Known {
    pub asn: u32,
    pub organisation: &'static str,
    pub kind: Kind,
    pub weight: f64,
    /// Codes of the countries it has addresses in, separated by spaces.
    pub countries: &'static str,
}

const fn row(
    asn: u32,
    organisation: &'static str,
    kind: Kind,
    weight: f64,
    countries: &'static str,
) -> Known {
    Known {
        asn,
        organisation,
        kind,
        weight,
        countries,
    }
}

const fn fixed(asn: u32, organisation: &'static str, weight: f64, countries: &'static str) -> Known {
    row(asn, organisation, Kind::Fixed, weight, countries)
}

const fn mobile(asn: u32, organisation: &'static str, weight: f64, countries: &'static str) -> Known {
    row(asn, organisation, Kind::Mobile, weight, countries)
}

const fn hosting(asn: u32, organisation: &'static str, weight: f64, countries: &'static str) -> Known {
    row(asn, organisation, Kind::Hosting, weight, countries)
}

const fn vpn(asn: u32, organisation: &'static str, weight: f64, countries: &'static str) -> Known {
    row(asn, organisation, Kind::Vpn, weight, countries)
}

const EVERYWHERE: &str =
    "US DE NL GB FR SE NO DK FI CH AT BE ES IT PL CZ RO CA AU JP SG HK IN BR ZA IE PT HU BG GR";

#[rustfmt::skip]
pub(crate) static KNOWN: &[Known] = &[
    fixed(2119, "Telenor Norge AS", 0.35, "NO"), mobile(8210, "Telenor Mobil AS", 0.5, "NO"),
    fixed(29695, "Altibox AS", 0.35, "NO"), fixed(41164, "GET AS", 0.2, "NO"), mobile(15659, "Telia Norge Mobile", 0.4, "NO"),
    fixed(3301, "Telia Company AB", 0.35, "SE"), fixed(39651, "Com Hem AB", 0.3, "SE"), fixed(8473, "Bahnhof AB", 0.15, "SE"),
    mobile(44034, "Hi3G Access AB", 0.35, "SE"), mobile(1257, "Tele2 Sverige AB Mobile", 0.5, "SE"),
    fixed(3292, "TDC Holding A/S", 0.4, "DK"), fixed(9158, "Telenor A/S", 0.2, "DK"), mobile(39554, "Hi3G Denmark Mobile", 0.4, "DK"), fixed(39642, "Norlys Fibernet A/S", 0.3, "DK"),
    fixed(719, "Elisa Oyj", 0.4, "FI"), fixed(16086, "DNA Oyj", 0.3, "FI"), mobile(1759, "Telia Finland Mobile", 0.5, "FI"),
    fixed(3320, "Deutsche Telekom AG", 0.40, "DE"), fixed(3209, "Vodafone GmbH", 0.28, "DE"), fixed(8881, "1&1 Versatel Deutschland GmbH", 0.12, "DE"),
    mobile(6805, "Telefonica Germany Mobile", 0.4, "DE"), mobile(29580, "Telekom Deutschland Mobile", 0.5, "DE"),
    fixed(1136, "KPN B.V.", 0.4, "NL"), fixed(33915, "Vodafone Libertel B.V.", 0.4, "NL"), mobile(31615, "T-Mobile Netherlands Mobile", 0.5, "NL"), fixed(15435, "Delta Fiber Nederland B.V.", 0.12, "NL"),
    fixed(5432, "Proximus NV", 0.45, "BE"), fixed(6848, "Telenet BV", 0.4, "BE"), mobile(47377, "Orange Belgium Mobile", 0.5, "BE"),
    fixed(3215, "Orange S.A.", 0.4, "FR"), fixed(12322, "Free SAS", 0.25, "FR"), fixed(15557, "SFR SA", 0.2, "FR"), mobile(5410, "Bouygues Telecom Mobile", 0.4, "FR"), mobile(51207, "Free Mobile SAS", 0.4, "FR"),
    fixed(2856, "British Telecommunications PLC", 0.35, "GB"), fixed(5089, "Virgin Media Limited", 0.22, "GB"), fixed(5607, "Sky UK Limited", 0.22, "GB"),
    mobile(12576, "EE Limited Mobile", 0.4, "GB"), mobile(206067, "Three UK Mobile", 0.3, "GB"), mobile(25135, "Vodafone UK Mobile", 0.3, "GB"),
    fixed(5466, "Eircom Limited", 0.45, "IE"), fixed(6830, "Virgin Media Ireland", 0.35, "IE"), mobile(13280, "Hutchison 3G Ireland Mobile", 0.5, "IE"),
    fixed(3352, "Telefonica de Espana S.A.U.", 0.38, "ES"), fixed(12479, "Orange Espagne SA", 0.25, "ES"), fixed(12430, "Vodafone Espana S.A.U.", 0.18, "ES"), mobile(16299, "Xfera Moviles S.A.", 0.4, "ES"),
    fixed(3243, "MEO Servicos de Comunicacoes", 0.42, "PT"), fixed(2860, "NOS Comunicacoes", 0.38, "PT"), mobile(12353, "Vodafone Portugal Mobile", 0.5, "PT"),
    fixed(3269, "Telecom Italia S.p.A.", 0.42, "IT"), fixed(12874, "Fastweb SpA", 0.2, "IT"), fixed(30722, "Vodafone Italia S.p.A.", 0.2, "IT"), mobile(24608, "Wind Tre Mobile", 0.4, "IT"), mobile(29447, "Iliad Italia Mobile", 0.2, "IT"),
    fixed(3303, "Swisscom AG", 0.5, "CH"), fixed(6730, "Sunrise GmbH", 0.3, "CH"), mobile(15796, "Salt Mobile SA", 0.4, "CH"),
    fixed(8447, "A1 Telekom Austria AG", 0.45, "AT"), fixed(8412, "Magenta Telekom", 0.3, "AT"), mobile(25255, "Hutchison Drei Austria Mobile", 0.5, "AT"),
    fixed(5617, "Orange Polska S.A.", 0.35, "PL"), fixed(29314, "Vectra S.A.", 0.2, "PL"), mobile(39603, "P4 Sp. z o.o. Mobile", 0.4, "PL"), mobile(12912, "T-Mobile Polska S.A.", 0.35, "PL"),
    fixed(5610, "O2 Czech Republic", 0.35, "CZ"), fixed(16019, "Vodafone Czech Republic", 0.25, "CZ"), mobile(13036, "T-Mobile Czech Republic", 0.5, "CZ"),
    fixed(8708, "Digi Romania S.A.", 0.55, "RO"), fixed(9050, "Orange Romania Fixed", 0.25, "RO"), mobile(8953, "Orange Romania Mobile", 0.5, "RO"),
    fixed(15895, "Kyivstar PJSC", 0.3, "UA"), fixed(25229, "Volia", 0.25, "UA"), mobile(21497, "Vodafone Ukraine Mobile", 0.5, "UA"),
    fixed(12389, "Rostelecom", 0.4, "RU"), fixed(8402, "Vimpelcom Fixed", 0.2, "RU"), mobile(8359, "MTS PJSC Mobile", 0.4, "RU"), mobile(31133, "MegaFon Mobile", 0.35, "RU"),
    fixed(9121, "Turk Telekom", 0.5, "TR"), fixed(34984, "Superonline Iletisim", 0.3, "TR"), mobile(16135, "Turkcell Mobile", 0.5, "TR"),
    fixed(6799, "OTE SA", 0.5, "GR"), fixed(3329, "Vodafone-Panafon Fixed", 0.3, "GR"), mobile(29247, "Cosmote Mobile", 0.5, "GR"),
    fixed(5483, "Magyar Telekom Plc.", 0.45, "HU"), fixed(20845, "DIGI Hungary", 0.3, "HU"), mobile(21334, "Vodafone Hungary Mobile", 0.5, "HU"),
    fixed(8866, "Vivacom Bulgaria EAD", 0.4, "BG"), fixed(13124, "A1 Bulgaria EAD", 0.3, "BG"), mobile(29244, "Yettel Bulgaria Mobile", 0.5, "BG"),
    fixed(7922, "Comcast Cable Communications", 0.30, "US"), fixed(20115, "Charter Communications", 0.27, "US"), fixed(7018, "AT&T Services", 0.15, "US"), fixed(701, "Verizon Business", 0.1, "US"),
    fixed(22773, "Cox Communications", 0.06, "US"), mobile(21928, "T-Mobile USA", 0.35, "US"), mobile(22394, "Verizon Wireless", 0.35, "US"), mobile(20057, "AT&T Mobility", 0.3, "US"),
    fixed(577, "Bell Canada", 0.3, "CA"), fixed(812, "Rogers Communications Canada", 0.3, "CA"), fixed(6327, "Shaw Communications", 0.2, "CA"), mobile(36848, "TELUS Mobility", 0.5, "CA"),
    fixed(8151, "UNINET", 0.5, "MX"), fixed(13999, "Mega Cable", 0.2, "MX"), mobile(28403, "RadioMovil Dipsa Telcel", 0.6, "MX"),
    fixed(28573, "Claro NXT Telecomunicacoes", 0.25, "BR"), fixed(27699, "Telefonica Brasil S.A", 0.2, "BR"), mobile(26615, "TIM Brasil Mobile", 0.4, "BR"), mobile(26599, "Vivo Mobile", 0.4, "BR"),
    fixed(7303, "Telecom Argentina S.A.", 0.45, "AR"), fixed(22927, "Telefonica de Argentina", 0.25, "AR"), mobile(11664, "Claro Argentina Mobile", 0.5, "AR"),
    fixed(10620, "Telmex Colombia", 0.4, "CO"), fixed(13489, "EPM Telecomunicaciones", 0.25, "CO"), mobile(26611, "Comcel Mobile", 0.5, "CO"),
    fixed(24560, "Bharti Airtel Limited", 0.3, "IN"), fixed(9829, "BSNL", 0.2, "IN"), mobile(55836, "Reliance Jio Infocomm Mobile", 0.5, "IN"), mobile(45609, "Bharti Airtel Mobile", 0.35, "IN"),
    fixed(17557, "Pakistan Telecommunication Company", 0.45, "PK"), mobile(45669, "Mobilink GSM", 0.5, "PK"),
    fixed(17494, "BTCL", 0.3, "BD"), mobile(24389, "Grameenphone", 0.5, "BD"),
    fixed(4134, "Chinanet", 0.5, "CN"), fixed(4837, "China Unicom Backbone", 0.25, "CN"), mobile(9808, "China Mobile", 0.6, "CN"),
    fixed(4760, "HKT Limited", 0.45, "HK"), fixed(9269, "Hong Kong Broadband Network", 0.3, "HK"), mobile(9231, "China Mobile Hong Kong", 0.4, "HK"),
    fixed(4713, "NTT Communications OCN", 0.35, "JP"), fixed(17676, "SoftBank Corp.", 0.25, "JP"), mobile(9605, "NTT Docomo", 0.4, "JP"), mobile(2516, "KDDI Mobile", 0.3, "JP"),
    fixed(4766, "Korea Telecom", 0.45, "KR"), fixed(9318, "SK Broadband", 0.3, "KR"), mobile(9644, "SK Telecom Mobile", 0.45, "KR"),
    fixed(3462, "Chunghwa Telecom HiNet", 0.6, "TW"), mobile(24158, "Taiwan Mobile", 0.4, "TW"),
    fixed(9506, "Singtel Fibre", 0.4, "SG"), fixed(55430, "StarHub Fibre", 0.25, "SG"), mobile(45143, "Singtel Mobile", 0.5, "SG"),
    fixed(7713, "Telkom Indonesia", 0.5, "ID"), fixed(23700, "Linknet", 0.2, "ID"), mobile(23693, "Telkomsel", 0.5, "ID"),
    fixed(45899, "VNPT Corp", 0.4, "VN"), fixed(18403, "FPT Telecom", 0.3, "VN"), mobile(7552, "Viettel Mobile", 0.5, "VN"),
    fixed(7470, "True Internet", 0.35, "TH"), fixed(45629, "Jasmine Triple T", 0.3, "TH"), mobile(131445, "Advanced Wireless Network", 0.5, "TH"),
    fixed(9299, "PLDT", 0.45, "PH"), fixed(17639, "Converge ICT", 0.25, "PH"), mobile(132199, "Globe Telecom Mobile", 0.5, "PH"),
    fixed(4788, "TM Net", 0.55, "MY"), mobile(9534, "Maxis Mobile", 0.5, "MY"),
    fixed(1221, "Telstra Limited", 0.4, "AU"), fixed(7545, "TPG Telecom", 0.25, "AU"), mobile(4804, "Optus Mobile", 0.4, "AU"),
    fixed(4771, "Spark New Zealand", 0.45, "NZ"), mobile(9500, "One New Zealand Mobile", 0.5, "NZ"),
    fixed(37457, "Telkom SA Ltd.", 0.35, "ZA"), fixed(3741, "Internet Solutions", 0.2, "ZA"), mobile(29975, "Vodacom", 0.5, "ZA"), mobile(16637, "MTN SA", 0.35, "ZA"),
    fixed(37148, "Globacom Fixed", 0.2, "NG"), mobile(29465, "MTN Nigeria", 0.5, "NG"), mobile(36873, "Airtel Nigeria", 0.3, "NG"),
    fixed(15399, "Wananchi Group Kenya", 0.4, "KE"), mobile(33771, "Safaricom Mobile", 0.6, "KE"),
    fixed(8452, "TE Data", 0.6, "EG"), mobile(24835, "Vodafone Egypt Mobile", 0.5, "EG"),
    fixed(36903, "Maroc Telecom", 0.5, "MA"), mobile(36925, "Orange Morocco Mobile", 0.5, "MA"),
    fixed(8551, "Bezeq International", 0.4, "IL"), fixed(12849, "HOT Net", 0.3, "IL"), mobile(1680, "Cellcom Mobile", 0.4, "IL"),
    fixed(5384, "Emirates Telecommunications", 0.6, "AE"), mobile(15802, "du Mobile", 0.5, "AE"),
    fixed(25019, "Saudi Telecom Company", 0.55, "SA"), mobile(35819, "Mobily", 0.5, "SA"),
    hosting(16509, "Amazon.com, Inc.", 0.14, "US IE DE GB SE FR JP SG AU IN BR CA"), hosting(14061, "DigitalOcean, LLC", 0.12, "US NL DE GB SG IN CA"),
    hosting(16276, "OVH SAS", 0.11, "FR DE PL GB CA US SG AU"), hosting(24940, "Hetzner Online GmbH", 0.10, "DE FI US SG"),
    hosting(8075, "Microsoft Corporation", 0.06, "US NL IE GB DE FR SE NO SG JP AU IN BR"), hosting(396982, "Google LLC", 0.05, "US NL BE DE GB FI SG JP IN BR"),
    hosting(20473, "The Constant Company, LLC", 0.08, "US NL DE FR GB JP SG AU KR SE PL"), hosting(63949, "Akamai Connected Cloud", 0.06, "US DE GB SG JP IN SE NL"),
    hosting(51167, "Contabo GmbH", 0.06, "DE US GB SG JP"), hosting(47583, "Hostinger International Limited", 0.04, "US NL GB FR SG BR IN"),
    hosting(45102, "Alibaba US Technology Co., Ltd.", 0.04, "CN HK SG US DE"), hosting(132203, "Tencent Building, Kejizhongyi Avenue", 0.03, "CN HK SG US DE"),
    hosting(29802, "HIVELOCITY, Inc.", 0.02, "US NL"), hosting(49505, "JSC Selectel", 0.03, "RU"), hosting(57523, "Chang Way Technologies Co. Limited", 0.02, "RU HK"),
    hosting(62240, "Clouvider Limited", 0.02, "GB US NL DE"), hosting(135905, "VNPT Data Center", 0.02, "VN"), hosting(37282, "MainOne Cable Company", 0.01, "NG"),
    hosting(53667, "FranTech Solutions", 0.02, "US"), hosting(42624, "Simple Carrier LLC", 0.01, "CH SE NL"),
    vpn(9009, "M247 Europe SRL", 0.30, EVERYWHERE), vpn(212238, "Datacamp Limited", 0.28, EVERYWHERE), vpn(60068, "CDN77", 0.12, EVERYWHERE),
    vpn(136787, "PacketHub S.A.", 0.10, EVERYWHERE), vpn(39351, "31173 Services AB", 0.08, "SE NO DK NL DE GB US CH"), vpn(62371, "Proton AG", 0.06, "CH US DE NL JP"), vpn(206092, "Ipxo LLC", 0.06, "US GB DE NL"),
    row(36183, "Akamai Technologies, Inc.", Kind::Relay, 0.45, EVERYWHERE), row(13335, "Cloudflare, Inc.", Kind::Relay, 0.4, EVERYWHERE), row(54113, "Fastly, Inc.", Kind::Relay, 0.15, EVERYWHERE),
    row(62044, "Zscaler, Inc.", Kind::Gateway, 0.5, "DE NL GB FR SE CH US SG JP IN AU BR NO DK FI ES IT PL"), row(55256, "Netskope, Inc.", Kind::Gateway, 0.25, "US DE GB NL FR SE SG JP IN AU"), row(54538, "Palo Alto Networks, Inc.", Kind::Gateway, 0.25, "US DE NL GB FR IE SE SG JP IN AU CA"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atlas;
    use std::collections::BTreeSet;

    #[test]
    fn every_country_has_lines_and_a_carrier() {
        for land in atlas::COUNTRIES {
            for kind in [Kind::Fixed, Kind::Mobile] {
                let there = |known: &&Known| known.kind == kind && known.countries == land.code;
                assert!(KNOWN.iter().any(|known| there(&known)), "{} {kind:?}", land.code);
            }
        }
    }

    #[test]
    fn numbers_are_unique_and_countries_known() {
        let mut seen = BTreeSet::new();
        for known in KNOWN {
            assert!(seen.insert(known.asn), "AS{} twice", known.asn);
            for code in known.countries.split(' ') {
                assert!(atlas::by_code(code).is_some(), "{code}");
            }
        }
    }
}
