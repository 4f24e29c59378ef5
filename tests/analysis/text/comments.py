"""Sixty short comments about five causes, as customers of a parts supplier might write them."""

DELIVERY = [
    "The delivery was three days late and nobody told us.",
    "Late delivery again, second time this month.",
    "Our delivery arrived late and the boxes were wet.",
    "Delivery took two weeks instead of three days.",
    "The parcel came late, the driver left it at the wrong gate.",
    "Still waiting for the delivery you promised last Monday.",
    "Delivery dates are never kept.",
    "Late deliveries stop our production line.",
    "The driver could not find our gate, so the delivery came a day late.",
    "Please keep your delivery dates, a late parcel costs us money.",
    "Half of the delivery was missing and the rest came late.",
    "I was promised next day delivery and it took a week.",
]
INVOICE = [
    "The invoice was wrong again.",
    "Wrong amount on the invoice, and the correction took a month.",
    "Your invoices never match our purchase order.",
    "We were charged twice on the same invoice.",
    "The invoice lists items that we never ordered.",
    "Invoice without an order number, so our accounting sends it back.",
    "Billing is a mess, every second invoice is wrong.",
    "I asked for a corrected invoice three times.",
    "The discount was missing on the invoice.",
    "Your billing department sent a reminder for a paid invoice.",
    "Wrong VAT on two invoices this year.",
    "Nobody in billing can explain the invoice.",
]
SUPPORT = [
    "I waited forty minutes on the support hotline.",
    "Support never calls back.",
    "The hotline keeps you waiting and then hangs up.",
    "Your support answered after five days.",
    "No one picks up the phone on the support line.",
    "Friendly support, but the waiting time on the hotline is far too long.",
    "I explained my case to four people on the hotline.",
    "The support agent promised to call back and never did.",
    "Waiting time on the phone is unbearable.",
    "Support tickets are closed without an answer.",
    "The hotline is always busy in the morning.",
    "It takes a week until support answers a ticket.",
]
WEBSHOP = [
    "The web shop logs me out while I order.",
    "I cannot log in to the web shop since the update.",
    "The search in the web shop finds nothing.",
    "The password reset mail of the web shop never arrives.",
    "The shop website is slow and crashes at checkout.",
    "Login to the website fails every morning.",
    "Since the update the website search is useless.",
    "The web shop forgets my basket after the login.",
    "Checkout crashes when I change the address on the website.",
    "Your website needs five clicks to reorder the same part.",
    "The login page of the web shop is broken on my phone.",
    "Prices in the web shop appear only after the login.",
]
QUALITY = [
    "The bearings wore out after a month, poor quality.",
    "Quality of the seals has become worse.",
    "Two of ten bearings were scratched.",
    "The seals leak after a few weeks.",
    "Bad quality: the thread of the bolts strips.",
    "The bolts rusted in the first winter.",
    "Material quality of the new seals is poor.",
    "We returned the bearings twice because of defects.",
    "Defective bolts in every box.",
    "The quality of the bearings is not what it was.",
    "Scratched surface on the bearings and leaking seals.",
    "Every second seal is defective, the material is too thin.",
]

CAUSES = {
    "delivery": DELIVERY,
    "invoice": INVOICE,
    "support": SUPPORT,
    "web shop": WEBSHOP,
    "quality": QUALITY,
}
COMMENTS = [comment for comments in CAUSES.values() for comment in comments]
LABELS = [cause for cause, comments in CAUSES.items() for _ in comments]
SILENT = [
    "",
    None,
    "n/a",
    "Nothing.",
    "none",
    "-",
    "!!!",
    "👍",
    "it was what it was",
    "nichts",
    "  ",
]
