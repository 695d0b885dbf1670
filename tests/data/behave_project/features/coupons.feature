Feature: Coupons

  Rule: A coupon takes a share off the whole order

    Background:
      Given the bakery sells:
        | item | price | baked |
        | cake | 20.00 | 5     |

    Scenario Outline: A <share> percent coupon is taken off
      Given a coupon of <share> percent is in use
      When Noor orders <count> of "cake"
      Then the order costs <total> euros

      Examples: usual coupons
        | share | count | total |
        | 10    | 1     | 18.00 |
        | 25    | 2     | 30.00 |

      @rare
      Examples: everything for free
        | share | count | total |
        | 100   | 1     | 0.00  |

  Rule: Coupons have a last day

    Scenario: A coupon is refused after its last day
      Given a coupon that ends on 2026-03-31
      When it is shown on 2026-04-01
      Then it is refused
